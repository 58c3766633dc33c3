//! The operators that take the place of two of tract's: its tree ensemble counts its way to each leaf and takes milliseconds a row, and its softmax, made for
//! long vectors, takes as long for three numbers as all trees together.

use std::sync::Arc;

use tract_onnx::tract_core::internal::{
    DatumExt, DatumTypeExt, EvalContext, EvalOp, IntoTValue, IntoTensor, Op, StaticName, TValue, TVec, Tensor, ToDim, TractResult,
    TypedFact, TypedOp, args_1, as_op, bail, op_as_typed_op, op_out_of_plan, tvec,
};

use crate::CLASSES;
use crate::flat::FlatForest;

/// Rows of features in, rows of class margins (without the base score) out.
#[derive(Debug, Clone)]
pub(crate) struct FlatEnsemble {
    pub(crate) forest: Arc<FlatForest>,
}

/// Tract wants operators to be comparable; two are the same when they share their trees.
impl PartialEq for FlatEnsemble {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.forest, &other.forest)
    }
}

impl Eq for FlatEnsemble {}

impl Op for FlatEnsemble {
    fn name(&self) -> StaticName {
        "FlatEnsemble".into()
    }

    op_as_typed_op!();
}

impl EvalOp for FlatEnsemble {
    op_out_of_plan!();

    fn eval(&self, _ctx: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let rows = args_1!(inputs);
        let [count, n_features] = *rows.shape() else { bail!("expected rows of features, got the shape {:?}", rows.shape()) };
        let mut margins = Tensor::zero::<f32>(&[count, CLASSES])?;
        {
            let rows = rows.try_as_plain_ram()?;
            let mut margins = margins.try_as_plain_ram_mut()?;
            self.forest.add_margins(rows.as_slice()?, n_features, margins.as_slice_mut()?.as_chunks_mut().0);
        }
        Ok(tvec!(margins.into_tvalue()))
    }
}

impl TypedOp for FlatEnsemble {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(tvec!(f32::fact(&[inputs[0].shape[0].clone(), CLASSES.to_dim()])))
    }

    as_op!();
}

/// Rows of margins in, rows of probabilities out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClassSoftmax;

impl Op for ClassSoftmax {
    fn name(&self) -> StaticName {
        "ClassSoftmax".into()
    }

    op_as_typed_op!();
}

impl EvalOp for ClassSoftmax {
    op_out_of_plan!();

    fn eval(&self, _ctx: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let mut rows = args_1!(inputs).into_tensor();
        for row in rows.try_as_plain_ram_mut()?.as_slice_mut()?.as_chunks_mut().0 {
            *row = softmax(*row);
        }
        Ok(tvec!(rows.into_tvalue()))
    }
}

impl TypedOp for ClassSoftmax {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(tvec!(inputs[0].datum_type.fact(inputs[0].shape.clone())))
    }

    as_op!();
}

/// Relative to the largest margin, so that no exponential overflows.
fn softmax(margins: [f32; CLASSES]) -> [f32; CLASSES] {
    let largest = margins.into_iter().fold(f32::NEG_INFINITY, f32::max);
    let weights = margins.map(|margin| (margin - largest).exp());
    let total: f32 = weights.iter().sum();
    weights.map(|weight| weight / total)
}
