#include "data/download.h"

#include <gmock/gmock.h>

#include <chrono>
#include <csignal>
#include <future>

#include "base/file.h"
#include "base/signals.h"
#include "data/failures.h"
#include "data/http_server.h"
#include "temporary_folder.h"

namespace mnist_dist {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
namespace fs = std::filesystem;

class Download : public testing::Test {
 protected:
  std::string download_from(std::vector<std::string> mirrors) {
    return download(
        "file.gz", mirrors, folder_.path(), [this](const fs::path& path) { check(path); }, "the hint",
        [this](const std::string& line) { lines_.push_back(line); });
  }
  void check(const fs::path& path) const {
    if (read_text_file(path) != contents_) throw data_error("wrong checksum", "hint");
  }
  std::string got() const { return read_text_file(folder_ / "file.gz"); }
  bool has_part() const { return fs::exists(folder_ / "file.gz.part"); }

  TemporaryFolder folder_;
  std::string contents_ = std::string(100'000, 'a') + "the end";
  std::vector<std::string> lines_;
};

TEST_F(Download, TakesTheFirstMirrorThatHasIt) {
  const HttpServer empty({}), good({.files = {{"/mnist/file.gz", contents_}}});
  EXPECT_EQ(download_from({empty.address(), good.address() + "/mnist"}), good.address().substr(7));
  EXPECT_EQ(got(), contents_);
  EXPECT_FALSE(has_part());
  EXPECT_THAT(empty.requests(), ElementsAre("/file.gz"));
  EXPECT_THAT(lines_.back(), HasSubstr("downloading file.gz from " + good.address().substr(7)));
}

TEST_F(Download, AnErrorPageIsNoFile) {
  const HttpServer empty({});
  EXPECT_THAT(data_failure([&] { download_from({empty.address()}); }), HasSubstr("404"));
}

TEST_F(Download, WrongContentsAreNeverKept) {
  const HttpServer wrong({.files = {{"/file.gz", "something else"}}});
  EXPECT_THAT(data_failure([&] { download_from({wrong.address()}); }), HasSubstr("127.0.0.1"));
  EXPECT_FALSE(fs::exists(folder_ / "file.gz"));
  EXPECT_FALSE(has_part());

  const HttpServer good({.files = {{"/file.gz", contents_}}});
  download_from({wrong.address(), good.address()});
  EXPECT_EQ(got(), contents_);
}

TEST_F(Download, ContinuesWhatBrokeOff) {
  HttpServer server({.files = {{"/file.gz", contents_}}, .break_after = 30'000});
  data_failure([&] { download_from({server.address()}); });
  EXPECT_EQ(fs::file_size(folder_ / "file.gz.part"), 30'000u);
  server.behave({.files = {{"/file.gz", contents_}}});
  download_from({server.address()});
  EXPECT_EQ(got(), contents_);
  EXPECT_THAT(server.requests(), ElementsAre("/file.gz", "/file.gz from 30000"));
  EXPECT_THAT(lines_.back(), HasSubstr("continuing file.gz"));
}

TEST_F(Download, TheNextMirrorContinuesToo) {
  const HttpServer breaks({.files = {{"/file.gz", contents_}}, .break_after = 30'000}), good({.files = {{"/file.gz", contents_}}});
  download_from({breaks.address(), good.address()});
  EXPECT_EQ(got(), contents_);
  EXPECT_THAT(good.requests(), ElementsAre("/file.gz from 30000"));
}

TEST_F(Download, StartsOverWhereRangesAreNotKnown) {
  write_file_atomically(folder_ / "file.gz.part", contents_.substr(0, 500));
  const HttpServer server({.files = {{"/file.gz", contents_}}, .ranges = false});
  download_from({server.address()});
  EXPECT_EQ(got(), contents_);
  EXPECT_THAT(server.requests(), ElementsAre("/file.gz from 500", "/file.gz"));
}

TEST_F(Download, StartsOverWhenThePartWasOfAnotherFile) {
  for (const std::string& part : {std::string(500, 'x'), std::string(200'000, 'x')}) {
    write_file_atomically(folder_ / "file.gz.part", part);
    const HttpServer server({.files = {{"/file.gz", contents_}}});
    download_from({server.address()});
    EXPECT_EQ(got(), contents_);
  }
}

TEST_F(Download, TakesACompletePart) {
  write_file_atomically(folder_ / "file.gz.part", contents_);
  const HttpServer server({.files = {{"/file.gz", contents_}}});
  download_from({server.address()});
  EXPECT_EQ(got(), contents_);
}

TEST_F(Download, ReadsFileAddresses) {
  write_file_atomically(folder_ / "mirror/file.gz", contents_);
  download_from({"file://" + (folder_ / "mirror").string()});
  EXPECT_EQ(got(), contents_);
}

TEST_F(Download, WithoutAnyMirrorFailsQuicklyWithEveryReason) {
  const auto start = std::chrono::steady_clock::now();
  const std::string what = data_failure([&] { download_from({"http://127.0.0.1:1", "http://mirror.invalid/mnist"}); });
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(12));
  EXPECT_THAT(what, HasSubstr("cannot download file.gz: 127.0.0.1:1: "));
  EXPECT_THAT(what, HasSubstr("mirror.invalid: "));
  EXPECT_FALSE(has_part());
}

TEST_F(Download, WaitsForAnotherProcessAndThenHasItsFile) {
  const HttpServer server({.files = {{"/file.gz", contents_}}});
  std::promise<void> waits;
  std::future<std::string> other;  // locks belong to who opened the file, so that a thread is as good as a process
  const auto download_too = [&] {
    return download(
        "file.gz", std::vector{server.address()}, folder_.path(), [this](const fs::path& path) { check(path); }, "the hint",
        [&](const std::string& line) {
          EXPECT_EQ(line, "waiting for another process that is downloading file.gz");
          waits.set_value();
        });
  };
  const auto check_while_the_other_waits = [&](const fs::path& path) {
    other = std::async(std::launch::async, download_too);
    EXPECT_EQ(waits.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
    check(path);
  };
  EXPECT_EQ(download("file.gz", std::vector{server.address()}, folder_.path(), check_while_the_other_waits, "the hint", [](const std::string&) {}),
            server.address().substr(7));
  EXPECT_EQ(other.get(), "");
  EXPECT_EQ(got(), contents_);
  EXPECT_FALSE(has_part());
  EXPECT_THAT(server.requests(), ElementsAre("/file.gz"));
}

TEST_F(Download, AStopKeepsWhatHasCome) {
  write_file_atomically(folder_ / "file.gz.part", contents_.substr(0, 500));
  const HttpServer server({.files = {{"/file.gz", contents_}}});
  install_stop_handlers();
  raise(SIGINT);
  try {
    download_from({server.address()});
    ADD_FAILURE() << "not stopped";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::interrupted);
    EXPECT_STREQ(error.what(), "stopped by a signal while downloading file.gz");
  }
  reset_stop_request();
  EXPECT_GE(fs::file_size(folder_ / "file.gz.part"), 500u);
  download_from({server.address()});
  EXPECT_EQ(got(), contents_);
}

TEST_F(Download, SaysWhyItCannotWrite) {
  fs::create_symlink("/dev/full", folder_ / "file.gz.part");
  const HttpServer server({.files = {{"/file.gz", contents_}}});
  EXPECT_EQ(data_failure([&] { download_from({server.address()}); }),
            "cannot write " + (folder_ / "file.gz.part").string() + ": No space left on device");
}

TEST_F(Download, UnwritableFolderIsNamed) {
  write_file_atomically(folder_ / "taken", "a file, no folder");
  const auto action = [&] {
    download(
        "file.gz", {}, folder_ / "taken", [](const fs::path&) {}, "the hint", [](const std::string&) {});
  };
  EXPECT_THAT(data_failure(action), HasSubstr("taken"));
}

}  // namespace
}  // namespace mnist_dist
