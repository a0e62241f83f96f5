#include "agent/runtime/state_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "agent/runtime/loop.h"

namespace checkrelay {
namespace {

namespace fs = std::filesystem;

class StateFileTest : public testing::Test {
 protected:
  StateFileTest() {
    std::string name = (fs::temp_directory_path() / "state_file.XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    path_ = directory_ + "/kept";
  }
  ~StateFileTest() override { fs::remove_all(directory_); }
  std::string content() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  std::string directory_, path_;
};

TEST_F(StateFileTest, WhatWasWrittenLastIsThereWhenTheLoopEnds) {
  {
    Loop loop;
    StateFile file(loop, path_);
    EXPECT_EQ(file.read(100).value(), "");
    file.write("one");
    file.write("two");
    file.write("three");
    while (content() != "three") loop.run_once();
    EXPECT_EQ(file.read(100).value(), "three");
    EXPECT_EQ(file.read(4).error().code, Errc::corrupt);
  }
  EXPECT_EQ(fs::status(path_).permissions() & fs::perms::all, fs::perms(0600));
  EXPECT_EQ(std::distance(fs::directory_iterator(directory_), {}), 1);
}

TEST_F(StateFileTest, AWriteThatHasBegunIsFinishedWithoutTheFile) {
  {
    Loop loop;
    StateFile(loop, path_).write("one");
  }
  EXPECT_EQ(content(), "one");
}

TEST_F(StateFileTest, WhatCannotBeWrittenHarmsNothing) {
  Loop loop;
  StateFile file(loop, directory_ + "/none/kept");
  file.write("one");
  EXPECT_EQ(file.read(100).value(), "");
  StateFile place(loop, directory_);
  EXPECT_EQ(place.read(100).error().code, Errc::unavailable);
}

}  // namespace
}  // namespace checkrelay
