//! A command that needs a feature which was not built in names the feature, and nothing is sent.

#[cfg(not(feature = "buckets"))]
#[test]
fn a_bucket_names_its_feature() {
    let ran = crate::harness::CliTest::new().run(&["export", "assets", "-o", "s3://backups/assets.csv"]).exits(2);
    insta::assert_snapshot!(ran.text(), @"
    error: this build cannot write to buckets: the feature `buckets` is missing
      hint: use a released tallyport, build with `--features buckets`, or name a file or a folder
    ");
}

#[cfg(not(feature = "parquet"))]
#[test]
fn parquet_names_its_feature() {
    let account = crate::harness::CliTest::new();
    let ran = account.run(&["export", "assets", "-o", "assets.parquet"]).exits(2);
    insta::assert_snapshot!(ran.text(), @"
    error: this build cannot write Parquet: the feature `parquet` is missing
      hint: use a released tallyport, build with `--features parquet`, or write .xlsx, .csv or .jsonl
    ");
    assert!(!account.path("assets.parquet").exists());
}

#[cfg(not(feature = "keyring"))]
#[test]
fn a_profile_with_a_key_store_names_its_feature() {
    let account = crate::harness::CliTest::new().sheet("assets.csv", "asset_id,product,status\nA-1,Mac,Ready\n");
    let folder = account.path("config/tallyport");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config.toml"), "[profiles.acme]\nkeyring = \"tallyport\"\n").unwrap();
    let mut command = account.command(&["import", "assets.csv", "--profile", "acme"]);
    let ran = crate::harness::CommandOutput::run(command.env_remove("BLUETALLY_API_KEY")).exits(2);
    insta::assert_snapshot!(ran.text(), @"
    error: could not read the API key from the key store (service `tallyport`, user `acme`): tallyport was built without `keyring`; build it with `--features full`
      hint: store the key there, or set BLUETALLY_API_KEY
    ");
}
