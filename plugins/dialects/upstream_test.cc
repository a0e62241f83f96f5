#include "plugins/dialects/upstream_test.h"

#include "agent/base/json.h"
#include "plugins/dialects/answer.h"

namespace checkrelay {
namespace {

std::string json_of(const UpstreamTest& test, const Credentials& login) {
  using May = UpstreamTest::May;
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("system").text(test.system);
  if (!test.version.empty()) json.key("version").text(presentable(test.version, login));
  if (!login.user.empty()) json.key("user").text(presentable(login.user, {}));
  json.key("may_submit");
  test.may_submit == May::unknown ? json.text("unknown")
                                  : json.boolean(test.may_submit == May::yes);
  if (test.clock_difference_s) json.key("clock_difference_s").integer(*test.clock_difference_s);
  json.key("remarks").begin_array();
  for (const std::string& remark : test.remarks) json.text(presentable(remark, login));
  json.end_array().end_object();
  return out;
}

}  // namespace

void note_clock(UpstreamTest& test, const Message& answer, Wall received) {
  using std::chrono::floor, std::chrono::seconds;
  const std::string* date = answer.header("Date");
  const auto there = date ? parse_http_date(*date) : std::nullopt;
  if (!there) return;
  const bool first = !test.clock_difference_s;
  const std::int64_t s = (floor<seconds>(*there) - floor<seconds>(received)).count();
  test.clock_difference_s = s;
  if (!first || (s <= kClockTolerance && s >= -kClockTolerance)) return;
  test.remarks.push_back("its clock is " + std::to_string(s < 0 ? -s : s) + " s " +
                         (s < 0 ? "behind" : "ahead of") +
                         " ours: see to time synchronisation at both ends");
}

void tell(const UpstreamTest& test, const Credentials& login, CommandReport& report) {
  const bool no = test.may_submit == UpstreamTest::May::no;
  report.end = no ? CommandReport::End::refused : CommandReport::End::done;
  report.json = json_of(test, login);
  report.what = !no                    ? ""
                : test.remarks.empty() ? "this user may not submit results"
                                       : presentable(test.remarks.front(), login);
}

void tell_failure(UpstreamTest test, const Verdict& verdict, const Credentials& login,
                  CommandReport& report) {
  if (verdict.judgement == Judgement::auth) {
    test.may_submit = UpstreamTest::May::no;
    test.remarks.insert(test.remarks.begin(), verdict.answer);
    return tell(test, login, report);
  }
  report.end = CommandReport::End::unreachable;
  report.json.clear();
  report.what = presentable(verdict.answer, login);
}

}  // namespace checkrelay
