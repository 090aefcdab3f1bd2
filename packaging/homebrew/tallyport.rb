class Tallyport < Formula
  desc "Move inventories between spreadsheets and BlueTally"
  homepage "@ADDRESS@"
  version "@VERSION@"
  license any_of: ["MIT", "Apache-2.0"]

  on_macos do
    on_arm do
      url "@DOWNLOADS@/tallyport-@VERSION@-aarch64-apple-darwin.tar.gz"
      sha256 "@SHA256 tallyport-@VERSION@-aarch64-apple-darwin.tar.gz@"
    end
    on_intel do
      url "@DOWNLOADS@/tallyport-@VERSION@-x86_64-apple-darwin.tar.gz"
      sha256 "@SHA256 tallyport-@VERSION@-x86_64-apple-darwin.tar.gz@"
    end
  end

  on_linux do
    on_intel do
      url "@DOWNLOADS@/tallyport-@VERSION@-x86_64-unknown-linux-gnu.tar.gz"
      sha256 "@SHA256 tallyport-@VERSION@-x86_64-unknown-linux-gnu.tar.gz@"
    end
  end

  def install
    bin.install "tallyport"
    man1.install "man/tallyport.1"
    bash_completion.install "completions/tallyport.bash" => "tallyport"
    zsh_completion.install "completions/_tallyport"
    fish_completion.install "completions/tallyport.fish"
    pkgshare.install "samples", "templates"
  end

  test do
    cp_r pkgshare/"samples", testpath
    system bin/"tallyport", "import", "samples/onboarding.xlsx", "--sandbox"
    assert_path_exists testpath/"samples/onboarding.result.xlsx"
  end
end
