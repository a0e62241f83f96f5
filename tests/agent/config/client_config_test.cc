#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "agent/config/config.h"

namespace checkrelay {
namespace {

class Client : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string form = ::testing::TempDir() + "clientXXXXXX";
    int fd = ::mkstemp(form.data());
    ASSERT_GE(fd, 0);
    ::close(fd);
    file_ = form;
  }
  void TearDown() override { ::unlink(file_.c_str()); }
  ClientConfig load(std::string_view text) {
    std::ofstream(file_, std::ios::binary) << text;
    return load_client_config(file_);
  }
  std::string file_;
};

TEST_F(Client, MissingFileGivesDefaults) {
  ClientConfig config = load_client_config("/nonexistent/c.toml");
  EXPECT_EQ(config.socket, "/run/checkrelay/checkrelay.sock");
  EXPECT_EQ(config.spool_dir, "");
  EXPECT_EQ(config.hostname, "");
}

TEST_F(Client, TakesSocketSpoolAndName) {
  ClientConfig config = load(R"([agent]
hostname = "edge1"
socket = "/tmp/s"
[[intake]]
type = "http"
[[intake]]
type = "spool"
path = "/tmp/spool"
)");
  EXPECT_EQ(config.socket, "/tmp/s");
  EXPECT_EQ(config.spool_dir, "/tmp/spool");
  EXPECT_EQ(config.hostname, "edge1");
}

TEST_F(Client, UnixIntakeServesWhereThereIsNoShorthand) {
  EXPECT_EQ(load("[[intake]]\ntype = \"unix\"\npath = \"/tmp/u\"\n").socket, "/tmp/u");
}

TEST_F(Client, FaultsElsewhereDoNotMatter) {
  EXPECT_EQ(load("agent = {socket = \"/tmp/s\"}\nlimits = 5\nintake = [3]\nnonsense = 1\n").socket,
            "/tmp/s");
}

TEST_F(Client, WhatStandsBeforeABrokenLineCounts) {
  EXPECT_EQ(load("[agent]\nsocket = \"/tmp/s\"\n[[intake]\ntype = \n").socket, "/tmp/s");
}

TEST_F(Client, BrokenFirstLineGivesDefaults) {
  EXPECT_EQ(load("[[[\n").socket, "/run/checkrelay/checkrelay.sock");
}

}  // namespace
}  // namespace checkrelay
