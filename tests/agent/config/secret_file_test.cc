#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "agent/config/config.h"
#include "small_registry.h"

namespace checkrelay {
namespace {

class SecretFile : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string form = ::testing::TempDir() + "secretXXXXXX";
    ASSERT_NE(::mkdtemp(form.data()), nullptr);
    dir_ = form;
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  std::string write(std::string_view content) {
    std::string file = dir_ + "/password";
    std::ofstream(file, std::ios::binary) << content;
    return file;
  }
  Loaded load(const std::string& file, const std::string& more = "") {
    return parse_config(
        "agent.socket = \"/s\"\n[[destination]]\nname = \"a\"\ntype = \"op5\"\n"
        "url = \"http://m\"\npassword_file = \"" +
            file + "\"\n" + more,
        "c", testing::small_registry());
  }
  std::string dir_;
};

TEST_F(SecretFile, FirstLineIsTheSecret) {
  for (std::string_view content : {"geheim", "geheim\n", "geheim\r\nnot this\n"}) {
    Loaded loaded = load(write(content));
    ASSERT_TRUE(loaded.faults.empty()) << to_string(loaded.faults[0]);
    EXPECT_EQ(loaded.config.destinations[0].options.secret("password").reveal(), "geheim");
  }
}

TEST_F(SecretFile, EmptyFirstLineIsAFault) {
  std::string file = write("\ngeheim\n");
  Loaded loaded = load(file);
  ASSERT_EQ(loaded.faults.size(), 1u);
  EXPECT_EQ(loaded.faults[0].what, "\"" + file + "\" has an empty first line");
}

TEST_F(SecretFile, BesideTheSecretItselfIsAFault) {
  Loaded loaded = load(write("geheim"), "password = \"other\"\n");
  ASSERT_EQ(loaded.faults.size(), 1u);
  EXPECT_EQ(to_string(loaded.faults[0]),
            "c:7: destination.a.password: given together with password_file");
}

TEST_F(SecretFile, HugeFileIsAFault) {
  std::string file = write(std::string(2 * 1024 * 1024, 'x'));
  Loaded loaded = load(file);
  ASSERT_EQ(loaded.faults.size(), 1u);
  EXPECT_EQ(loaded.faults[0].what, "\"" + file + "\" is larger than 1 MiB");
}

}  // namespace
}  // namespace checkrelay
