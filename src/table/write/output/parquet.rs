//! Parquet: typed columns that DuckDB, pandas, Spark and Trino read as what they are.
//!
//! | a column holds | Parquet type |
//! |---|---|
//! | text, a structure | `STRING` (a structure is its JSON text) |
//! | a whole number | `INT64` |
//! | an amount | `INT64`, `DECIMAL(18, 4)` |
//! | a day | `DATE` |
//! | a moment | `TIMESTAMP(MILLIS, UTC)` |
//! | yes or no | `BOOLEAN` |
//!
//! Every column is optional: an empty cell is null. So is a cell whose type is not that of its column, which is
//! reported ([`super::OutputReport::mismatched`]). Rows are gathered in groups of bounded size, so memory is flat; what
//! is written is never returned to, so it may be a stream.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::{DateTime, Time, date};
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int32Type, Int64Type};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::Type;
use rust_decimal::Decimal;

use super::super::value_text::push_timestamp;
use super::super::{ColumnType, WriteError};
use super::file_per_table::TableFile;
use super::output_files::Sink;
use super::table_writer::{OutputColumn, keys};
use crate::table::{Cell, Row, Value};

/// A group of rows is written when it has reached this many rows or bytes.
const GROUP_ROWS: usize = 1 << 17;
const GROUP_BYTES: usize = 32 << 20;

/// Digits of an amount after the point, and in all: no currency has more than four after it (ISO 4217).
const SCALE: u32 = 4;
const PRECISION: u32 = 18;

const EPOCH: DateTime = date(1970, 1, 1).at(0, 0, 0, 0);
const SECONDS_PER_DAY: i64 = 86_400;

pub(super) struct ParquetTable {
    /// None for standard output.
    path: Option<PathBuf>,
    writer: SerializedFileWriter<Sink>,
    columns: Vec<ParquetColumn>,
    /// In the group that is not written yet.
    group_rows: usize,
    group_bytes: usize,
}

/// The values of a column in the group that is not written yet.
struct ParquetColumn {
    header: String,
    column_type: ColumnType,
    values: ColumnValues,
    /// 1 for a value and 0 for a null, as Parquet has it.
    present: Vec<i16>,
}

enum ColumnValues {
    /// All texts side by side, each given by its end.
    Texts(Vec<u8>, Vec<usize>),
    Longs(Vec<i64>),
    Days(Vec<i32>),
    Truths(Vec<bool>),
}

impl TableFile for ParquetTable {
    type Options = ();

    fn begin(sink: Sink, columns: &[OutputColumn], (): &()) -> Result<Self, WriteError> {
        let path = sink.path().map(ToOwned::to_owned);
        let columns: Vec<_> = keys(columns).into_iter().zip(columns).map(ParquetColumn::new).collect();
        let writer = begin(sink, &columns).map_err(|error| failed(path.as_deref(), error))?;
        Ok(Self { path, writer, columns, group_rows: 0, group_bytes: 0 })
    }

    fn row(&mut self, row: &Row, on_mismatch: &mut dyn FnMut(&str, &str)) -> Result<(), WriteError> {
        for (place, column) in self.columns.iter_mut().enumerate() {
            let cell = row.cell(place);
            if !column.take(cell) {
                on_mismatch(&column.header, cell.text);
            }
        }
        self.group_rows += 1;
        self.group_bytes += row.text_len() + self.columns.len() * size_of::<i64>();
        if self.group_rows < GROUP_ROWS && self.group_bytes < GROUP_BYTES { Ok(()) } else { self.write_group() }
    }

    fn finish(mut self) -> Result<Sink, WriteError> {
        self.write_group()?;
        let Self { path, mut writer, .. } = self;
        writer.finish().map_err(|error| failed(path.as_deref(), error))?;
        // Its `into_inner` would flush with an error of text only, which no longer tells a full disk.
        Ok(std::mem::replace(writer.inner_mut(), Sink::Stream(Box::new(io::sink()))))
    }
}

fn begin(sink: Sink, columns: &[ParquetColumn]) -> ParquetResult<SerializedFileWriter<Sink>> {
    let fields = columns.iter().map(|column| field(&column.header, column.column_type).map(Arc::new));
    let schema = Type::group_type_builder("table").with_fields(fields.collect::<ParquetResult<_>>()?).build()?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(format!("tallyport version {}", env!("CARGO_PKG_VERSION")));
    SerializedFileWriter::new(sink, Arc::new(schema), Arc::new(properties.build()))
}

fn field(name: &str, column_type: ColumnType) -> ParquetResult<Type> {
    let (physical, logical) = match column_type {
        ColumnType::Text | ColumnType::Json => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        ColumnType::Integer => (Physical::INT64, None),
        ColumnType::Money => (Physical::INT64, Some(LogicalType::decimal(SCALE as i32, PRECISION as i32))),
        ColumnType::Date => (Physical::INT32, Some(LogicalType::Date)),
        ColumnType::Timestamp => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MILLIS))),
        ColumnType::Boolean => (Physical::BOOLEAN, None),
    };
    let builder = Type::primitive_type_builder(name, physical).with_repetition(Repetition::OPTIONAL);
    let builder = match column_type {
        ColumnType::Money => builder.with_scale(SCALE as i32).with_precision(PRECISION as i32),
        _ => builder,
    };
    builder.with_logical_type(logical).build()
}

/// What the writer's refusal means: it wraps what the system said.
fn failed(path: Option<&Path>, error: ParquetError) -> WriteError {
    let cause = match error {
        ParquetError::External(cause) => match cause.downcast::<io::Error>() {
            Ok(cause) => *cause,
            Err(cause) => io::Error::other(cause),
        },
        error => io::Error::other(error),
    };
    WriteError::from_output(path, cause)
}

impl ParquetTable {
    /// Writes the rows that are gathered, if there are any.
    fn write_group(&mut self) -> Result<(), WriteError> {
        if self.group_rows == 0 {
            return Ok(());
        }
        (self.group_rows, self.group_bytes) = (0, 0);
        let Self { path, writer, columns, .. } = self;
        write_columns(writer, columns).map_err(|error| failed(path.as_deref(), error))
    }
}

fn write_columns(writer: &mut SerializedFileWriter<Sink>, columns: &mut [ParquetColumn]) -> ParquetResult<()> {
    let mut group = writer.next_row_group()?;
    for column in columns {
        let Some(place) = group.next_column()? else { break };
        column.write(place)?;
    }
    group.close().map(drop)
}

impl ParquetColumn {
    fn new((header, column): (String, &OutputColumn)) -> Self {
        let values = match column.column_type {
            ColumnType::Text | ColumnType::Json => ColumnValues::Texts(Vec::new(), Vec::new()),
            ColumnType::Integer | ColumnType::Money | ColumnType::Timestamp => ColumnValues::Longs(Vec::new()),
            ColumnType::Date => ColumnValues::Days(Vec::new()),
            ColumnType::Boolean => ColumnValues::Truths(Vec::new()),
        };
        Self { header, column_type: column.column_type, values, present: Vec::new() }
    }

    /// Takes a cell; false if it is not what the column holds.
    fn take(&mut self, cell: Cell<'_>) -> bool {
        let kept = match &mut self.values {
            ColumnValues::Texts(texts, ends) => push_text(cell, self.column_type, texts, ends),
            ColumnValues::Longs(values) => push(values, long(cell, self.column_type)),
            ColumnValues::Days(values) => push(values, day(cell)),
            ColumnValues::Truths(values) => push(values, truth(cell)),
        };
        self.present.push(i16::from(kept));
        kept || is_empty(cell)
    }

    /// Writes the values, and is empty again.
    fn write(&mut self, mut place: SerializedColumnWriter<'_>) -> ParquetResult<()> {
        let present = Some(self.present.as_slice());
        match &mut self.values {
            ColumnValues::Texts(texts, ends) => {
                let slices = slices(std::mem::take(texts), ends);
                place.typed::<ByteArrayType>().write_batch(&slices, present, None)?;
                ends.clear();
            }
            ColumnValues::Longs(values) => {
                place.typed::<Int64Type>().write_batch(values, present, None)?;
                values.clear();
            }
            ColumnValues::Days(values) => {
                place.typed::<Int32Type>().write_batch(values, present, None)?;
                values.clear();
            }
            ColumnValues::Truths(values) => {
                place.typed::<BoolType>().write_batch(values, present, None)?;
                values.clear();
            }
        }
        self.present.clear();
        place.close()
    }
}

/// Whether the cell is empty, without even white space.
fn is_empty(cell: Cell<'_>) -> bool {
    let is_typed = matches!(cell.value, Value::Number(_) | Value::Boolean(_) | Value::Date(_));
    !is_typed && cell.text.is_empty()
}

/// Parts of one buffer: an allocation a column instead of one a text.
fn slices(texts: Vec<u8>, ends: &[usize]) -> Vec<ByteArray> {
    let texts = ByteArray::from(texts);
    let starts = std::iter::once(0).chain(ends.iter().copied());
    starts.zip(ends).map(|(start, end)| texts.slice(start, end - start)).collect()
}

/// Whether there was a value.
fn push<T>(values: &mut Vec<T>, value: Option<T>) -> bool {
    let is_there = value.is_some();
    values.extend(value);
    is_there
}

fn push_text(cell: Cell<'_>, column_type: ColumnType, texts: &mut Vec<u8>, ends: &mut Vec<usize>) -> bool {
    match cell.value {
        Value::Date(moment) => {
            let mut spelled = String::new();
            push_timestamp(moment, column_type, &mut spelled);
            texts.extend_from_slice(spelled.as_bytes());
        }
        _ if cell.text.is_empty() => return false,
        _ => texts.extend_from_slice(cell.text.as_bytes()),
    }
    ends.push(texts.len());
    true
}

fn long(cell: Cell<'_>, column_type: ColumnType) -> Option<i64> {
    match (column_type, cell.value) {
        (ColumnType::Money, Value::Number(number)) => amount(cell.text, number),
        (ColumnType::Timestamp, Value::Date(moment)) => i64::try_from(moment.duration_since(EPOCH).as_millis()).ok(),
        (ColumnType::Integer, Value::Number(number)) => whole(cell.text, number),
        // A number too long for a spreadsheet comes as its text.
        (ColumnType::Integer, Value::Text) => {
            cell.text.parse().ok().filter(|whole: &i64| whole.to_string() == cell.text)
        }
        _ => None,
    }
}

fn whole(text: &str, number: f64) -> Option<i64> {
    /// Every whole number up to this one is exact as a float.
    const EXACT: f64 = (1_u64 << 53) as f64;
    let exact = number.fract() == 0.0 && number.abs() <= EXACT;
    text.parse().ok().or(exact.then_some(number as i64))
}

/// The amount in ten-thousandths, where it is a whole number of them.
fn amount(text: &str, number: f64) -> Option<i64> {
    let spelled = |text: &str| Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text)).ok();
    let amount = spelled(text).or_else(|| spelled(&number.to_string()))?;
    let parts = amount.checked_mul(Decimal::from(10_i64.pow(SCALE)))?.normalize();
    let is_held = parts.is_integer() && parts.abs() < Decimal::from(10_i64.pow(PRECISION));
    is_held.then(|| i64::try_from(parts).ok()).flatten()
}

fn day(cell: Cell<'_>) -> Option<i32> {
    match cell.value {
        Value::Date(moment) if moment.time() == Time::midnight() => {
            i32::try_from(moment.duration_since(EPOCH).as_secs() / SECONDS_PER_DAY).ok()
        }
        _ => None,
    }
}

fn truth(cell: Cell<'_>) -> Option<bool> {
    match cell.value {
        Value::Boolean(truth) => Some(truth),
        _ => None,
    }
}
