#include <fcntl.h>

#include <fstream>

#include "spool/directory_queue.h"
#include "tests/spool/directory/fixture.h"

namespace checkrelay::spool {
namespace {

TEST(SpoolNames, TellCandidatesFromOthers) {
  for (const char* name : {"a", "c123456", "results.json", "x.ok", "cAbCdEfg.ok", "rejected2"})
    EXPECT_TRUE(is_candidate(name)) << name;
  for (const char* name : {"", ".", "..", ".x", "x.tmp", ".tmp", "cAbCdEf.ok"})
    EXPECT_FALSE(is_candidate(name)) << name;
  EXPECT_TRUE(is_check_file("cAbCdEf"));
  EXPECT_FALSE(is_check_file("cAbCdEfg"));
  EXPECT_FALSE(is_check_file("dAbCdEf"));
}

class SpoolQueue : public test::SpoolDirectoryTest {
 protected:
  std::shared_ptr<Directory> opened() const {
    return std::make_shared<Directory>(::open(path_.c_str(), O_RDONLY | O_DIRECTORY));
  }
  static bool all(const std::string&, const struct stat&) { return true; }
};

TEST_F(SpoolQueue, OfTooManyTheOldestAreKept) {
  for (int i = 0; i < 10; ++i) {
    std::string name = "f" + std::to_string(i);
    write(name, "x");
    timespec times[2] = {{1000 - i, 0}, {1000 - i, 0}};
    utimensat(AT_FDCWD, (path_ / name).c_str(), times, 0);
  }
  DirectoryQueue queue(all, 3);
  DirectoryScan scan;
  ASSERT_TRUE(scan.begin(opened()));
  while (scan.step(2, queue)) {
  }
  EXPECT_TRUE(queue.cut());
  EXPECT_EQ(queue.take(), "f9");
  EXPECT_EQ(queue.take(), "f8");
  EXPECT_EQ(queue.take(), "f7");
  EXPECT_EQ(queue.take(), std::nullopt);
}

TEST_F(SpoolQueue, WhatIsTakenDoesNotComeTwice) {
  write("a", "x");
  auto directory = opened();
  DirectoryQueue queue(all);
  queue.examine(*directory, "a");
  queue.examine(*directory, "a");
  EXPECT_EQ(queue.take(), "a");
  queue.examine(*directory, "a");
  EXPECT_EQ(queue.take(), std::nullopt);
  queue.release("a");
  queue.examine(*directory, "a");
  EXPECT_EQ(queue.take(), "a");
}

TEST_F(SpoolQueue, WhatIsNotAdmittedDoesNotCrowdOutOthers) {
  for (int i = 0; i < 10; ++i) write("theirs" + std::to_string(i), "x");
  write("ours", "x");
  auto directory = opened();
  DirectoryQueue queue([](const std::string& name, const struct stat&) { return name == "ours"; },
                       3);
  DirectoryScan scan;
  ASSERT_TRUE(scan.begin(directory));
  while (scan.step(100, queue)) {
  }
  EXPECT_FALSE(queue.cut());
  EXPECT_EQ(queue.take(), "ours");
}

}  // namespace
}  // namespace checkrelay::spool
