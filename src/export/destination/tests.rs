#![allow(clippy::unwrap_used)]
use jiff::civil::date;

use super::*;

fn parse(output: &str) -> Result<OutputPattern, ExportError> {
    OutputPattern::parse(output, None, OutputLayout::Flat, TenantScope::Current)
}

fn partitioned(output: &str) -> Result<OutputPattern, ExportError> {
    OutputPattern::parse(output, None, OutputLayout::Partitioned, TenantScope::Current)
}

const VALUES: PlaceholderValues<'_> = PlaceholderValues { name: Some("night/ly"), tenant: Some("7") };

fn now() -> DateTime {
    date(2026, 11, 24).at(9, 5, 7, 0)
}

#[test]
fn placeholders_are_filled_in() {
    let fill = |text: &str| parse(text).unwrap().fill(VALUES, now()).map_err(|error| error.to_string());
    assert_eq!(fill("out/{name}-{date}.csv").unwrap(), "out/night_ly-2026-11-24.csv");
    assert_eq!(fill("{tenant}/{time}.csv").unwrap(), "7/090507.csv");
    assert_eq!(fill("a-{day}.csv").unwrap_err(), "unknown placeholder `{day}`");
    assert_eq!(fill("a-{.csv").unwrap(), "a-{.csv");
    let unnamed = parse("{name}.csv").unwrap().fill(PlaceholderValues::default(), now());
    assert!(matches!(unnamed, Err(ExportError::NameMissing)));
    let no_tenant = parse("{tenant}.csv").unwrap().fill(PlaceholderValues::default(), now());
    assert!(matches!(no_tenant, Err(ExportError::TenantMissing)));
}

#[test]
fn the_extension_decides_the_format_unless_one_is_given() {
    let format = |text: &str| parse(text).unwrap().locate(VALUES, now()).map(|location| location.format);
    for (output, expected) in [
        ("a.xlsx", FileFormat::Xlsx),
        ("a.CSV", FileFormat::Csv),
        ("a.ndjson", FileFormat::Jsonl),
        ("a.parquet", FileFormat::Parquet),
        ("folder/", FileFormat::Csv),
        ("-", FileFormat::Csv),
    ] {
        assert_eq!(format(output).unwrap(), expected, "{output}");
    }
    assert!(matches!(format("a.txt.gz"), Err(ExportError::FileType { .. })));
    let given = OutputPattern::parse("a.dat", Some(FileFormat::Csv), OutputLayout::Flat, TenantScope::Current).unwrap();
    assert_eq!(given.locate(VALUES, now()).unwrap().format, FileFormat::Csv);
    for (output, format) in
        [("a.csv", FileFormat::Xlsx), ("{date}.XLSX", FileFormat::Csv), ("a.tsv", FileFormat::Jsonl)]
    {
        let pattern = OutputPattern::parse(output, Some(format), OutputLayout::Flat, TenantScope::Current).unwrap();
        let located = pattern.locate(VALUES, now());
        assert!(matches!(located, Err(ExportError::OtherFormat { .. })), "{output}: {located:?}");
    }
}

#[test]
fn files_folders_and_standard_output_are_told_apart() {
    let destination = |text: &str| parse(text).unwrap().locate(VALUES, now()).unwrap().destination;
    assert_eq!(destination("-"), Destination::Local(OutputTarget::Stdout));
    assert_eq!(destination("a.csv"), Destination::Local(OutputTarget::File(PathBuf::from("a.csv"))));
    assert_eq!(destination("a/"), Destination::Local(OutputTarget::Folder(PathBuf::from("a/"))));
    let folder = tempfile::tempdir().unwrap();
    let existing = folder.path().to_path_buf();
    assert_eq!(destination(&existing.display().to_string()), Destination::Local(OutputTarget::Folder(existing)));
    let day = date(2026, 11, 24);
    assert_eq!(
        partitioned("lake").unwrap().locate(VALUES, now()).unwrap().destination,
        Destination::Local(OutputTarget::Partitioned { folder: PathBuf::from("lake/"), day })
    );
}

#[test]
fn a_partitioned_export_is_a_folder_of_parquet_files() {
    assert!(matches!(partitioned("a.csv"), Err(ExportError::PartitionedFile)));
    assert!(matches!(partitioned("-"), Err(ExportError::PartitionedFile)));
    assert!(matches!(partitioned("{date}/"), Err(ExportError::PartitionedDate)));
    let csv = OutputPattern::parse("lake/", Some(FileFormat::Csv), OutputLayout::Partitioned, TenantScope::Current);
    assert!(matches!(csv, Err(ExportError::PartitionedFormat)));
}

#[test]
fn each_tenant_gets_a_folder_of_its_own() {
    let text = |output: &str, layout| OutputPattern::parse(output, None, layout, TenantScope::All).unwrap().text;
    assert_eq!(text("out/", OutputLayout::Flat), "out/{tenant}/");
    assert_eq!(text("lake", OutputLayout::Partitioned), "lake/tenant={tenant}/");
    assert_eq!(text("out/{tenant}/x/", OutputLayout::Flat), "out/{tenant}/x/");
    assert_eq!(text("all.csv", OutputLayout::Flat), "all.csv");
}

#[test]
fn a_file_url_is_a_path() {
    let folder = tempfile::tempdir().unwrap();
    let url = Url::from_directory_path(folder.path()).unwrap();
    let pattern = parse(&format!("{url}out-{{date}}.csv")).unwrap();
    assert_eq!(pattern.fill(VALUES, now()).unwrap(), folder.path().join("out-2026-11-24.csv").display().to_string());
    assert!(matches!(parse("file://elsewhere.example/a.csv"), Err(ExportError::FileUrl { .. })));
}

#[cfg(feature = "buckets")]
#[test]
fn a_bucket_url_keeps_its_placeholders_until_they_are_filled_in() {
    let pattern = parse("s3://backups/{tenant}/n-{date}.csv").unwrap();
    let Destination::Bucket(url) = pattern.locate(VALUES, now()).unwrap().destination else { panic!("{pattern:?}") };
    assert_eq!(url.to_string(), "s3://backups/7/n-2026-11-24.csv");
    assert_eq!(parse("s3://backups").unwrap().text, "s3://backups/");
    let lake =
        OutputPattern::parse("s3://b/lake/", Some(FileFormat::Parquet), OutputLayout::Flat, TenantScope::Current);
    assert_eq!(lake.unwrap().layout(), OutputLayout::Partitioned);
}

#[cfg(not(feature = "buckets"))]
#[test]
fn without_the_feature_a_bucket_url_names_it() {
    assert_eq!(
        parse("s3://backups/a.csv").unwrap_err().to_string(),
        "this build cannot write to buckets: the feature `buckets` is missing"
    );
}

#[test]
fn an_unsupported_url_is_rejected() {
    let error = parse("https://bucket.example/hush").unwrap_err();
    assert_eq!(error.to_string(), "unsupported bucket URL scheme");
}
