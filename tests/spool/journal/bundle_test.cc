#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "spool/bundle_file.h"
#include "spool/bytes.h"
#include "spool/crc32c.h"
#include "tests/contract/journal_contract.h"

namespace checkrelay {
namespace {

using testing::HasSubstr;

const std::string kGolden = CHECKRELAY_GOLDEN "/bundle/";
const Wall kMade{std::chrono::seconds(1'700'000'000)};

std::string content_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

class BundleTest : public testing::Test {
 protected:
  [[nodiscard]] std::string file() const { return directory_.path() + "/b"; }
  void write(const std::vector<Parcel>& parcels, const Secret& passphrase = {}) {
    auto writer = create_bundle(file(), passphrase, kMade);
    ASSERT_TRUE(writer) << writer.error().what;
    for (const Parcel& p : parcels) ASSERT_TRUE((*writer)->add(p));
    auto done = (*writer)->finish();
    ASSERT_TRUE(done) << done.error().what;
  }
  void damage(const std::string& bytes) { std::ofstream(file(), std::ios::binary) << bytes; }
  // The bodies; "error" behind them where it did not end well, and the error in error_.
  std::vector<std::string> read(const std::string& from, const Secret& passphrase = {}) {
    std::vector<std::string> out;
    auto reader = open_bundle(from, passphrase);
    Result<std::optional<Parcel>> next =
        reader ? (*reader)->next() : tl::unexpected(reader.error());
    for (; next && *next; next = (*reader)->next()) out.push_back((*next)->body);
    if (next) return out;
    error_ = next.error();
    out.push_back("error");
    return out;
  }
  TempDirectory directory_;
  Error error_;
};

TEST_F(BundleTest, WhatIsWrittenIsRead) {
  const std::vector<std::string> bodies = {"one", "", std::string(700'000, 'x'), "four"};
  for (const Secret& passphrase : {Secret(), Secret("open sesame")}) {
    std::filesystem::remove(file());
    write({{1, bodies[0]}, {2, bodies[1]}, {9, bodies[2]}, {4711, bodies[3]}}, passphrase);
    EXPECT_EQ(read(file(), passphrase), bodies);
    auto reader = open_bundle(file(), passphrase);
    ASSERT_TRUE(reader);
    EXPECT_EQ((*reader)->created(), kMade);
    EXPECT_EQ((**(*reader)->next()).seq, 1U);
  }
}

TEST_F(BundleTest, GoldenBytesAreThoseOfTheDocument) {
  write({{7, "hi"}, {300, "there"}});
  EXPECT_EQ(content_of(file()), content_of(kGolden + "v1-open.crb"));
  EXPECT_THAT(read(kGolden + "v1-open.crb"), testing::ElementsAre("hi", "there"));
  EXPECT_THAT(read(kGolden + "v1-sealed.crb", Secret("open sesame")),
              testing::ElementsAre("hi", "there"));
}

TEST_F(BundleTest, CutAnywhereIsSaid) {
  for (const Secret& passphrase : {Secret(), Secret("p")}) {
    std::filesystem::remove(file());
    write({{1, "one"}, {2, "two"}}, passphrase);
    const std::string whole = content_of(file());
    const std::size_t head = passphrase.empty() ? kBundleHead : kSealedHead;
    for (std::size_t n :
         {std::size_t{0}, std::size_t{5}, head - 1, head, head + 2, head + 9, whole.size() - 1}) {
      damage(whole.substr(0, n));
      EXPECT_EQ(read(file(), passphrase).back(), "error") << n;
    }
  }
}

TEST_F(BundleTest, EveryFlippedBitIsFound) {
  write({{1, "one"}, {2, "two"}});
  const std::string whole = content_of(file());
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string bad = whole;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    damage(bad);
    EXPECT_EQ(read(file()).back(), "error") << bit;
  }
}

TEST_F(BundleTest, ChunksDoNotChangePlacesOrFiles) {
  const std::string big(300'000, 'a');
  write({{1, big}, {2, big}});
  const std::string whole = content_of(file());
  const std::size_t size = 4 + 4 + 1 + 1 + 3 + big.size();
  std::string swapped = whole;
  swapped.replace(kBundleHead, size, whole, kBundleHead + size, size);
  swapped.replace(kBundleHead + size, size, whole, kBundleHead, size);
  damage(swapped);
  EXPECT_EQ(read(file()), std::vector<std::string>{"error"});
  EXPECT_EQ(error_.code, Errc::corrupt);
}

TEST_F(BundleTest, WrongPassphrasesAreSaidAndNeverOffered) {
  write({{1, "one"}}, Secret("right"));
  EXPECT_EQ(read(file(), Secret("wrong")).back(), "error");
  EXPECT_EQ(error_.code, Errc::invalid);
  EXPECT_THAT(error_.what, HasSubstr("passphrase is wrong"));
  EXPECT_EQ(read(file()).back(), "error");
  EXPECT_THAT(error_.what, HasSubstr("protected by a passphrase"));
  EXPECT_EQ(content_of(file()).find("one"), std::string::npos);
}

TEST_F(BundleTest, AnOpenBundleInPlaceOfASealedOneIsRefused) {
  write({{1, "one"}});
  EXPECT_EQ(read(file(), Secret("right")).back(), "error");
  EXPECT_THAT(error_.what, HasSubstr("not protected"));
}

TEST_F(BundleTest, SealThatAsksForTooMuchIsRefused) {
  auto codec = BundleCodec::begin(Secret("p"), kMade, {1, 8});
  ASSERT_TRUE(codec);
  EXPECT_TRUE(BundleCodec::read(codec->head(), Secret("p")));
  std::string head = codec->head().substr(0, kSealedHead - 4);
  head.replace(kBundleHead - 4 + 16 + 4, 4, "\xff\xff\xff\xff", 4);
  put_fixed(head, crc32c(head), 4);
  auto read = BundleCodec::read(head, Secret("p"));
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().what, HasSubstr("too much"));
}

TEST_F(BundleTest, AnExistingFileStays) {
  damage("mine");
  auto writer = create_bundle(file(), {}, kMade);
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error().code, Errc::refused);
  EXPECT_EQ(content_of(file()), "mine");
}

TEST_F(BundleTest, AFileThatCameMeanwhileStays) {
  auto writer = create_bundle(file(), {}, kMade);
  ASSERT_TRUE(writer);
  ASSERT_TRUE((*writer)->add({1, "one"}));
  damage("mine");
  auto done = (*writer)->finish();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::refused);
  EXPECT_EQ(content_of(file()), "mine");
}

TEST_F(BundleTest, WithoutFinishNothingStays) {
  {
    auto writer = create_bundle(file(), {}, kMade);
    ASSERT_TRUE(writer);
    ASSERT_TRUE((*writer)->add({1, "one"}));
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
}

}  // namespace
}  // namespace checkrelay
