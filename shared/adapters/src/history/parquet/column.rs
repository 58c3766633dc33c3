//! Reading whole columns of a row group.

use parquet::{
    column::reader::get_typed_column_reader,
    data_type::DataType,
    file::reader::{FileReader, RowGroupReader},
};

use super::Damage;

/// One row group, read column by column.
pub(crate) struct Rows<'a> {
    group: Box<dyn RowGroupReader + 'a>,
    count: usize,
}

impl<'a> Rows<'a> {
    pub(crate) fn open(file: &'a dyn FileReader, group: usize) -> Result<Self, Damage> {
        let group = file.get_row_group(group)?;
        let count = usize::try_from(group.metadata().num_rows()).map_err(|_| Damage("a negative number of rows".into()))?;
        Ok(Self { group, count })
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// All values of a column without nulls. Its physical type must be `T`'s.
    pub(crate) fn required<T: DataType>(&self, column: usize) -> Result<Vec<T::T>, Damage> {
        let mut values = Vec::new();
        self.read::<T>(column, None, &mut values)?;
        self.complete(column, values.len())?;
        Ok(values)
    }

    /// All values of a column that may hold nulls. Its physical type must be `T`'s.
    pub(crate) fn optional<T: DataType>(&self, column: usize) -> Result<Vec<Option<T::T>>, Damage> {
        let (mut values, mut levels) = (Vec::new(), Vec::new());
        self.read::<T>(column, Some(&mut levels), &mut values)?;
        self.complete(column, levels.len())?;
        let mut present = values.into_iter();
        Ok(levels.into_iter().map(|level| if level == 0 { None } else { present.next() }).collect())
    }

    fn read<T: DataType>(&self, column: usize, mut levels: Option<&mut Vec<i16>>, values: &mut Vec<T::T>) -> Result<(), Damage> {
        let mut reader = get_typed_column_reader::<T>(self.group.get_column_reader(column)?);
        let mut remaining = self.count;
        while remaining > 0 {
            let (records, _, _) = reader.read_records(remaining, levels.as_deref_mut(), None, values)?;
            if records == 0 {
                break;
            }
            remaining -= records;
        }
        Ok(())
    }

    fn complete(&self, column: usize, found: usize) -> Result<(), Damage> {
        if found == self.count { Ok(()) } else { Err(Damage(format!("column {column} has {found} of {} rows", self.count))) }
    }
}
