// Destinations `file` and `discard`.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "agent/base/text.h"
#include "plugins/dialects/discard/dialect.h"
#include "plugins/dialects/file/dialect.h"
#include "plugins/dialects/file/wire.h"

namespace checkrelay {
namespace {

using namespace std::chrono_literals;

CheckResult result() {
  CheckResult r;
  r.subject = {"db1", "Backup"};
  r.state = 2;
  r.output = "line \"1\"\nline 2";
  r.perfdata = "a=1;2";
  r.time = Wall(1'700'000'000s);
  r.received = Wall(1'700'000'001'250'000us);
  r.id = "id-1";
  r.ttl = 90s;
  r.check_source = "edge1";
  return r;
}

std::string line(const CheckResult& r) {
  std::string out;
  file::append_line(out, r, "archive");
  return out;
}

TEST(FileLine, HasEveryKeyOnce) {
  EXPECT_EQ(line(result()),
            R"({"host":"db1","service":"Backup","state":2,"output":"line \"1\"\nline 2",)"
            R"("perfdata":"a=1;2","time":1700000000,"id":"id-1","ttl":90,"check_source":"edge1",)"
            R"("received":1700000001.25,"destination":"archive"})"
            "\n");
}

TEST(FileLine, IsOneLineWhateverTheOutputHolds) {
  CheckResult r = result();
  for (int c = 0; c < 256; ++c) r.output += static_cast<char>(c);
  std::string text = line(r);
  EXPECT_EQ(text.find('\n'), text.size() - 1);
  EXPECT_TRUE(is_valid_utf8(text));
  EXPECT_TRUE(nlohmann::json::accept(text));
}

TEST(FileLine, TimesKeepTheirMicroseconds) {
  CheckResult r = result();
  r.time = Wall(1'700'000'000'000'001us);
  r.ttl = 500ms;
  std::string text = line(r);
  EXPECT_NE(text.find(R"("time":1700000000.000001)"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("ttl":0.5)"), std::string::npos) << text;
}

class FileConversation : public testing::Test {
 protected:
  FileConversation() {
    Options o;
    o.set("name", std::string("archive"));
    outbound_ = std::move(file_dialect().outbound(o).value());
    std::vector<CheckResult> batch = {result(), result()};
    conversation_ = outbound_->open(batch);
    conversation_->start({}, out_);
  }
  std::vector<Verdict> answer(Message m) {
    conversation_->receive(std::move(m), {}, out_);
    EXPECT_TRUE(out_.close);
    return out_.verdicts;
  }
  std::unique_ptr<Outbound> outbound_;
  std::unique_ptr<Conversation> conversation_;
  Actions out_;
};

TEST_F(FileConversation, BatchIsOneAppend) {
  ASSERT_EQ(out_.send.size(), 1U);
  EXPECT_EQ(out_.send[0].kind, Message::Kind::bytes);
  EXPECT_EQ(out_.send[0].body, line(result()) + line(result()));
  EXPECT_TRUE(out_.verdicts.empty());
}

TEST_F(FileConversation, SyncedMeansDelivered) {
  auto verdicts = answer(Message::bytes({}));
  ASSERT_EQ(verdicts.size(), 2U);
  for (const Verdict& v : verdicts) EXPECT_EQ(v.judgement, Judgement::delivered);
}

TEST_F(FileConversation, FailedWriteIsTransient) {
  auto verdicts = answer(Message::failure(Trouble::io, "write \"/x\": No space left on device"));
  ASSERT_EQ(verdicts.size(), 2U);
  EXPECT_EQ(verdicts[1].judgement, Judgement::transient);
  EXPECT_EQ(verdicts[1].answer, "write \"/x\": No space left on device");
}

TEST(FileTraits, KeepEveryResult) {
  auto traits = file_dialect().traits();
  ASSERT_TRUE(traits);
  EXPECT_EQ(traits->framing, Framing::append);
  EXPECT_EQ(traits->backlog, "all");
  EXPECT_TRUE(traits->takes_times);
  EXPECT_EQ(traits->batch_max, 500U);
}

TEST(Discard, DeliversAtOnce) {
  auto outbound = std::move(discard_dialect().outbound({}).value());
  std::vector<CheckResult> batch(3, result());
  auto conversation = outbound->open(batch);
  Actions out;
  conversation->start({}, out);
  ASSERT_EQ(out.verdicts.size(), 3U);
  EXPECT_EQ(out.verdicts[2].item, 2U);
  EXPECT_EQ(out.verdicts[2].judgement, Judgement::delivered);
  EXPECT_TRUE(out.close);
  EXPECT_TRUE(out.send.empty());
}

}  // namespace
}  // namespace checkrelay
