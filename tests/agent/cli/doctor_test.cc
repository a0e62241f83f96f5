#include "agent/cli/doctor.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "agent/cli/doctor_places.h"
#include "fake_agent.h"

namespace checkrelay {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Kind = Finding::Kind;

TEST(Findings, AreTextWithAdviceUnderIt) {
  EXPECT_EQ(findings_text({{Kind::well, "clock", "fine", {}},
                           {Kind::fault, "disk", "full\x1b[2J", "make room"}}),
            "ok     clock: fine\n"
            "fault  disk: full [2J\n"
            "       -> make room\n"
            "1 faults\n");
  EXPECT_THAT(findings_text({{Kind::note, "a", "b", {}}}), HasSubstr("all well"));
}

TEST(Findings, AreJson) {
  auto json = nlohmann::json::parse(findings_json({{Kind::note, "a", "b \"c\"", "d"}}));
  EXPECT_EQ(json["well"], true);
  EXPECT_EQ(json["findings"][0]["kind"], "note");
  EXPECT_EQ(json["findings"][0]["what"], "b \"c\"");
  json = nlohmann::json::parse(findings_json({{Kind::fault, "a", "b", "c"}}));
  EXPECT_EQ(json["well"], false);
}

TEST(Clock, BeforeThisProgramIsAFault) {
  EXPECT_EQ(examine_clock(Wall(std::chrono::hours(24))).front().kind, Kind::fault);
  EXPECT_EQ(examine_clock(Wall(std::chrono::seconds(1'900'000'000))).front().kind, Kind::well);
}

class Places : public testing::InOwnDirectory {
 protected:
  // What is no "ok" and not about the disk, which is the machine's.
  std::vector<std::string> faults() {
    config_.agent.set("state_dir", dir_ + "/state");
    std::vector<std::string> out;
    for (const Finding& f : examine_places(config_))
      if (f.kind == Kind::fault && !f.about.starts_with("disk")) out.push_back(f.what);
    return out;
  }
  void make(const std::string& name, mode_t mode) {
    std::filesystem::create_directory(dir_ + "/" + name);
    ASSERT_EQ(::chmod((dir_ + "/" + name).c_str(), mode), 0);
  }
  Config config_;
};

TEST_F(Places, NothingThereYetIsNoFault) { EXPECT_THAT(faults(), IsEmpty()); }

TEST_F(Places, OpenStateDirectoryIsAFault) {
  make("state", 0700);
  EXPECT_THAT(faults(), IsEmpty());
  make("state", 0710);
  EXPECT_THAT(faults(), ::testing::ElementsAre(HasSubstr("open to others")));
}

TEST_F(Places, StateThatIsAFileIsAFault) {
  std::ofstream(dir_ + "/state") << "x";
  EXPECT_THAT(faults(), ::testing::ElementsAre(HasSubstr("no directory")));
}

TEST_F(Places, FilesThatAreNoneAndDirectoriesThatAreMissingAreToldOfDestinations) {
  make("state", 0700);
  DestinationConfig d;
  d.name = "out";
  d.options.set("path", dir_ + "/spool");
  config_.destinations = {d};
  EXPECT_THAT(faults(), ::testing::ElementsAre(HasSubstr("no regular file")));
}

}  // namespace
}  // namespace checkrelay
