#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <set>

#include "spool/directory_writer.h"
#include "tests/spool/directory/fixture.h"

namespace checkrelay::test {
namespace {

CheckResult full_result() {
  CheckResult r;
  r.subject = {"db1", "Backup \"nightly\""};
  r.state = 2;
  r.output = "line one | no perfdata\nline \xE2\x82\xAC";
  r.perfdata = "t=1s;;;0";
  r.time = Wall(Duration(1'700'000'000'123'456));
  r.id = "id-1";
  r.ttl = std::chrono::minutes(90);
  r.check_source = "send";
  return r;
}

TEST_F(SpoolDirectoryTest, WhatTheWriterWritesComesInAsItWas) {
  std::vector<CheckResult> results{full_result(), full_result()};
  results[1].subject.service.clear();
  results[1].state = 1;
  results[1].id = "id-2";
  results[1].perfdata.clear();
  ASSERT_TRUE(write_spool_file(path_.string(), results));
  open();
  until([&] { return files() == 0; });
  EXPECT_EQ(receiver_.taken, results);
}

TEST_F(SpoolDirectoryTest, WrittenNamesSortByTimeAndAreUnique) {
  std::set<std::string> names;
  std::string last;
  for (int i = 0; i < 100; ++i) {
    std::vector<CheckResult> results{full_result()};
    auto path = write_spool_file(path_.string(), results);
    ASSERT_TRUE(path);
    EXPECT_TRUE(names.insert(*path).second);
    EXPECT_GT(path->substr(0, path->find('-', path_.string().size() + 1)), "");
    last = *path;
  }
  EXPECT_EQ(files(), 100U);
}

TEST_F(SpoolDirectoryTest, WrittenFilesAreNotForEverybody) {
  std::vector<CheckResult> results{full_result()};
  auto path = write_spool_file(path_.string(), results);
  ASSERT_TRUE(path);
  struct stat st {};
  ASSERT_EQ(stat(path->c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777U, 0640U);
}

TEST_F(SpoolDirectoryTest, AMissingDirectoryIsAnError) {
  std::vector<CheckResult> results{full_result()};
  auto path = write_spool_file((path_ / "missing").string(), results);
  ASSERT_FALSE(path);
  EXPECT_NE(path.error().what.find("missing"), std::string::npos);
}

TEST_F(SpoolDirectoryTest, AFailedWriteLeavesNothingBehind) {
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small{100, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  std::vector<CheckResult> results{full_result()};
  auto path = write_spool_file(path_.string(), results);
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_FALSE(path);
  EXPECT_TRUE(fs::is_empty(path_));
}

}  // namespace
}  // namespace checkrelay::test
