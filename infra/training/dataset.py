"""The examples that `export-features` wrote, and which of them may be used together."""

from dataclasses import dataclass

import numpy as np
import pyarrow.parquet as parquet


@dataclass
class Examples:
    """Arrays of equal length, one entry an example, in the file's order."""

    features: np.ndarray  # float32, NaN for missing
    label: np.ndarray  # 0 sell, 1 hold, 2 buy
    long_r: np.ndarray  # what the long trade brought, in multiples of its risk, before costs
    short_r: np.ndarray
    risk: np.ndarray  # average true range over price
    session: np.ndarray  # position of the date among all sessions
    year: np.ndarray
    date: np.ndarray

    def __len__(self):
        return len(self.label)

    def where(self, mask):
        return Examples(**{name: getattr(self, name)[mask] for name in self.__dataclass_fields__})


@dataclass
class Dataset:
    examples: Examples
    sessions: np.ndarray  # all dates, ascending
    names: list
    schema_hash: str
    label: dict
    sources: dict  # file name to SHA-256
    point_in_time_from: np.datetime64
    data_through: np.datetime64  # last bar that any feature or outcome saw

    def between(self, first, last, embargo=0):
        """The examples from `first` to `last`, without those of the last `embargo` sessions before `last`'s end."""
        start = np.searchsorted(self.sessions, np.datetime64(first))
        end = np.searchsorted(self.sessions, np.datetime64(last), side="right") - embargo
        return self.examples.where((self.examples.session >= start) & (self.examples.session < end))


def read(path):
    table = parquet.read_table(path)
    metadata = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    names = metadata["features"].split(",")
    date = table["date"].to_numpy().astype("datetime64[D]")
    sessions, session = np.unique(date, return_inverse=True)
    life = int(metadata["life_sessions"])
    examples = Examples(
        features=np.column_stack([table[name].to_numpy() for name in names]).astype(np.float32),
        label=table["label"].to_numpy(),
        long_r=table["long_r"].to_numpy(),
        short_r=table["short_r"].to_numpy(),
        risk=table["risk"].to_numpy(),
        session=session,
        year=date.astype("datetime64[Y]").astype(int) + 1970,
        date=date,
    )
    # Of the last sessions only trades that ended early have a label: they are not like the others.
    examples = examples.where(examples.session < len(sessions) - life)
    point_in_time = table["point_in_time"].to_numpy(zero_copy_only=False)
    return Dataset(
        examples=examples,
        sessions=sessions,
        names=names,
        schema_hash=metadata["schema_hash"],
        label={"target_atr": float(metadata["target_atr"]), "stop_atr": float(metadata["stop_atr"]), "life_sessions": life},
        sources=dict(line.split(" ") for line in metadata["sources"].splitlines()),
        point_in_time_from=date[point_in_time].min(),
        data_through=np.datetime64(metadata["data_through"]),
    )
