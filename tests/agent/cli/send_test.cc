#include "agent/cli/send.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "agent/cli/keep.h"
#include "agent/cli/sender.h"
#include "fake_agent.h"

namespace checkrelay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Json = nlohmann::json;

const char* const kOk = "{\"ok\":true,\"id\":\"x\"}\n";

class Send : public testing::InOwnDirectory {
 protected:
  int send(std::map<std::string, std::string, std::less<>> more = {},
           std::set<std::string, std::less<>> switches = {}) {
    Arguments arguments;
    arguments.values = {{"socket", socket()},  {"spool", spool()},    {"host", "db1"},
                        {"service", "Backup"}, {"state", "CRITICAL"}, {"output", "no|a=1"}};
    for (auto& [name, value] : more) arguments.values[name] = value;
    arguments.switches = std::move(switches);
    ::testing::internal::CaptureStderr();
    int status = send_command(arguments);
    err_ = ::testing::internal::GetCapturedStderr();
    return status;
  }
  std::string err_;
};

TEST_F(Send, IsSafeOnceTheAgentSaysSo) {
  std::string line;
  {
    testing::FakeAgent agent(socket(), [&](testing::Caller& caller, int) {
      line = caller.line().value_or("");
      caller.say(kOk);
    });
    EXPECT_EQ(send({{"ttl", "90"}, {"time", "2026-01-05T10:15:00Z"}}), kExitOk);
  }
  Json sent = Json::parse(line);
  EXPECT_EQ(sent["host"], "db1");
  EXPECT_EQ(sent["service"], "Backup");
  EXPECT_EQ(sent["state"], 2);
  EXPECT_EQ(sent["output"], "no|a=1");
  EXPECT_FALSE(sent.contains("perfdata"));
  EXPECT_EQ(sent["ttl"], 90);
  EXPECT_EQ(sent["time"], 1767608100);
  EXPECT_EQ(sent["id"].get<std::string>().size(), 36u);
  EXPECT_THAT(kept(), IsEmpty());
  EXPECT_EQ(err_, "");
}

TEST_F(Send, TellsTheIdWhenAskedTo) {
  ::testing::internal::CaptureStdout();
  send({{"id", "mine"}}, {"verbose"});
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "mine\n");
}

TEST_F(Send, RefusalIsToldAndNotKept) {
  testing::FakeAgent agent(socket(), [](testing::Caller& caller, int) {
    caller.line();
    caller.say("{\"ok\":false,\"error\":\"line 1: host: not yours\"}\n");
  });
  EXPECT_EQ(send(), kExitNo);
  EXPECT_EQ(err_, "checkrelay send: refused: host: not yours\n");
  EXPECT_THAT(kept(), IsEmpty());
}

TEST_F(Send, WithoutAnAgentTheSpoolKeepsIt) {
  EXPECT_EQ(send({{"id", "mine"}}), kExitOk);
  ASSERT_THAT(kept(), SizeIs(1));
  EXPECT_TRUE(kept()[0].ends_with("}\n"));
  EXPECT_EQ(Json::parse(kept()[0])["id"], "mine");
  EXPECT_TRUE(Json::parse(kept()[0]).contains("time"));
  EXPECT_THAT(err_, HasSubstr("; kept in " + spool() + "/send-"));
}

TEST_F(Send, LostReplyKeepsTheSameIdInTheSpool) {
  std::string line;
  {
    testing::FakeAgent agent(
        socket(), [&](testing::Caller& caller, int) { line = caller.line().value_or(""); });
    EXPECT_EQ(send(), kExitOk);
  }
  ASSERT_THAT(kept(), SizeIs(1));
  EXPECT_EQ(kept()[0], line + "\n");
}

TEST_F(Send, HungAgentIsNotWaitedForLongerThanTold) {
  testing::FakeAgent agent(socket(),
                           [](testing::Caller& caller, int) { caller.wait_for_hang_up(); });
  EXPECT_EQ(send({{"timeout", "50ms"}}), kExitOk);
  EXPECT_THAT(err_, HasSubstr("the agent does not answer; kept in"));
  EXPECT_THAT(kept(), SizeIs(1));
}

TEST_F(Send, NoSpoolMeansNowhere) {
  EXPECT_EQ(send({}, {"no-spool"}), kExitAway);
  EXPECT_THAT(err_, HasSubstr("NOT kept: --no-spool"));
  EXPECT_THAT(kept(), IsEmpty());
}

TEST_F(Send, MissingSpoolDirectoryMeansNowhere) {
  EXPECT_EQ(send({{"spool", dir_ + "/none"}}), kExitAway);
  EXPECT_THAT(err_, HasSubstr("NOT kept: " + dir_ + "/none: cannot open"));
}

TEST_F(Send, WhatIsNoResultIsRefusedHere) {
  struct {
    const char* key;
    const char* value;
    const char* reason;
  } cases[] = {{"state", "9", "state: \"9\" is not 0-3"},
               {"time", "yesterday", "time: "},
               {"ttl", "-1", "ttl: "},
               {"host", "a\x01", "host"}};
  for (const auto& c : cases) {
    EXPECT_EQ(send({{c.key, c.value}}), kExitNo);
    EXPECT_THAT(err_, HasSubstr(c.reason));
  }
  EXPECT_THAT(kept(), IsEmpty());
}

TEST_F(Send, MissingOptionsAreAUsageError) {
  Arguments arguments;
  EXPECT_EQ(send_command(arguments), kExitUsage);
  EXPECT_EQ(send({}, {"stdin"}), kExitUsage);
  EXPECT_THAT(err_, HasSubstr("--host does not go with --stdin"));
  EXPECT_EQ(send({{"timeout", "soon"}}), kExitUsage);
}

TEST_F(Send, SpoolDirectoryThatCannotBeListedIsGoodEnough) {
  std::filesystem::permissions(spool(), std::filesystem::perms(0333));
  EXPECT_EQ(send(), kExitOk);
  std::filesystem::permissions(spool(), std::filesystem::perms(0755));
  EXPECT_THAT(kept(), SizeIs(1));
}

TEST_F(Send, SpoolFileIsReadableToTheAgentsUser) {
  ASSERT_TRUE(keep_in_spool(spool(), "f", "x\n"));
  struct stat info {};
  ASSERT_EQ(::stat((spool() + "/f").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0644u);
  EXPECT_THAT(kept(), ElementsAre("x\n"));
}

class Stream : public testing::InOwnDirectory {
 protected:
  Stream()
      : ids_(1),
        refused_([this](std::size_t n, const std::string& why) {
          said_.push_back(std::to_string(n) + ": " + why);
        }),
        note_([this](const std::string& text) { notes_.push_back(text); }) {}
  SenderOptions options() { return {socket(), spool(), true, std::chrono::seconds(30)}; }
  static Item item(std::size_t number) {
    return {number, "{\"id\":\"" + std::to_string(number) + "\"}\n", {}};
  }
  IdMaker ids_;
  std::vector<std::string> said_;
  std::vector<std::string> notes_;
  std::function<void(std::size_t, const std::string&)> refused_;
  std::function<void(const std::string&)> note_;
};

TEST_F(Stream, RepliesAreMatchedInOrder) {
  testing::FakeAgent agent(socket(), [](testing::Caller& caller, int) {
    for (int line = 1; caller.line(); ++line) {
      caller.say(line % 100 == 0 ? "{\"ok\":false,\"error\":\"line 1: bad\"}\n" : kOk);
    }
  });
  Sender sender(options(), ids_, refused_, note_);
  for (std::size_t i = 1; i <= 1000; ++i) sender.add(item(i + 5));
  sender.settle();
  EXPECT_EQ(sender.exit_status(), kExitNo);
  EXPECT_THAT(said_, SizeIs(10));
  EXPECT_EQ(said_[0], "105: bad");
  EXPECT_THAT(notes_, IsEmpty());
}

TEST_F(Stream, DeadLinkMidWayOffersWhatIsOwedAgain) {
  std::vector<std::string> second;
  {
    testing::FakeAgent agent(socket(), [&](testing::Caller& caller, int number) {
      for (int line = 0; number > 0 || line < 3; ++line) {
        auto got = caller.line();
        if (!got) return;
        if (number > 0) second.push_back(*got);
        caller.say(kOk);
      }
    });
    Sender sender(options(), ids_, refused_, note_);
    for (std::size_t i = 1; i <= 10; ++i) sender.add(item(i));
    sender.settle();
    EXPECT_EQ(sender.exit_status(), kExitOk);
  }
  EXPECT_THAT(kept(), IsEmpty());
  ASSERT_THAT(second, SizeIs(7));
  EXPECT_EQ(second[0], "{\"id\":\"4\"}");
}

TEST_F(Stream, LinkThatStaysDeadLeavesTheRestInTheSpool) {
  testing::FakeAgent agent(socket(), [](testing::Caller& caller, int number) {
    for (int line = 0; number == 0 && line < 3; ++line) {
      caller.line();
      caller.say(kOk);
    }
  });
  Sender sender(options(), ids_, refused_, note_);
  for (std::size_t i = 1; i <= 6; ++i) sender.add(item(i));
  sender.settle();
  sender.add(item(7));
  sender.settle();
  EXPECT_EQ(sender.exit_status(), kExitOk);
  std::string all;
  for (const std::string& file : kept()) all += file;
  for (int i = 4; i <= 7; ++i)
    EXPECT_THAT(all, HasSubstr("{\"id\":\"" + std::to_string(i) + "\"}\n"));
  EXPECT_THAT(all, ::testing::Not(HasSubstr("\"3\"")));
}

TEST_F(Stream, LongInputWithoutAnAgentBecomesSeveralFiles) {
  Sender sender(options(), ids_, refused_, note_);
  for (std::size_t i = 0; i < 5; ++i) sender.add({i, std::string(600'000, 'x') + "\n", {}});
  sender.settle();
  EXPECT_EQ(sender.exit_status(), kExitOk);
  EXPECT_THAT(kept(), SizeIs(3));
  EXPECT_THAT(notes_, SizeIs(3));
}

TEST_F(Stream, ItemThatWasRefusedByTheFeedIsCounted) {
  Sender sender(options(), ids_, refused_, note_);
  sender.add({3, {}, "is longer than 1MiB"});
  sender.settle();
  EXPECT_EQ(sender.exit_status(), kExitNo);
  EXPECT_THAT(said_, ElementsAre("3: is longer than 1MiB"));
}

}  // namespace
}  // namespace checkrelay
