#include "agent/model/check_result.h"

#include <gtest/gtest.h>

#include <string>

namespace checkrelay {
namespace {

CheckResult good() {
  CheckResult r;
  r.subject = {"db1", "Backup"};
  r.state = 2;
  return r;
}

std::string why(const CheckResult& r) {
  auto ok = validate(r);
  return ok ? "" : ok.error().what;
}

TEST(State, NamesAreReadInAnyCase) {
  EXPECT_EQ(parse_state("OK", false).value(), 0);
  EXPECT_EQ(parse_state("warning", false).value(), 1);
  EXPECT_EQ(parse_state("CriTical", false).value(), 2);
  EXPECT_EQ(parse_state("unknown", false).value(), 3);
  EXPECT_EQ(parse_state("up", true).value(), 0);
  EXPECT_EQ(parse_state("Down", true).value(), 1);
  EXPECT_EQ(parse_state("UNREACHABLE", true).value(), 2);
}

TEST(State, CodesAreReadInTheSubjectsRange) {
  EXPECT_EQ(parse_state("3", false).value(), 3);
  EXPECT_EQ(parse_state("2", true).value(), 2);
  EXPECT_FALSE(parse_state("3", true));
  EXPECT_FALSE(parse_state("4", false));
  EXPECT_FALSE(parse_state("-1", false));
}

TEST(State, AHostHasNoServicesNames) {
  EXPECT_FALSE(parse_state("OK", true));
  EXPECT_FALSE(parse_state("DOWN", false));
}

TEST(State, TheErrorCarriesTheFragment) {
  EXPECT_EQ(parse_state("9", false).error().what, "\"9\" is not 0-3");
  EXPECT_EQ(parse_state("9", true).error().what, "\"9\" is not 0-2");
  EXPECT_EQ(parse_state("ok", true).error().what,
            "\"ok\" is not 0-2, UP, DOWN or UNREACHABLE: without a service it is a host's");
  EXPECT_EQ(parse_state("DOWN", false).error().what,
            "\"DOWN\" is not 0-3, OK, WARNING, CRITICAL or UNKNOWN: with a service it is a "
            "service's");
  EXPECT_EQ(state_from_code(-4, false).error().what, "\"-4\" is not 0-3");
}

TEST(State, GarbageIsRefused) {
  for (std::string text : {"", " ", "1 ", "0x1", "OKAY", "1.0", "99999999999999999999"})
    EXPECT_FALSE(parse_state(text, false)) << text;
}

TEST(State, EveryStateHasItsName) {
  EXPECT_EQ(state_name(0, false), "OK");
  EXPECT_EQ(state_name(3, false), "UNKNOWN");
  EXPECT_EQ(state_name(2, true), "UNREACHABLE");
  EXPECT_EQ(state_name(200, false), "UNKNOWN");
  EXPECT_EQ(state_name(200, true), "UNKNOWN");
}

TEST(SubjectText, IsForPeople) {
  EXPECT_EQ(to_string(Subject{"db1", ""}), "db1");
  EXPECT_EQ(to_string(Subject{"db1", "Backup"}), "db1;Backup");
}

TEST(Validate, TakesAGoodResult) { EXPECT_EQ(why(good()), ""); }

TEST(Validate, AHostMustBeNamed) {
  CheckResult r = good();
  r.subject.host.clear();
  EXPECT_EQ(why(r), "host: empty");
}

TEST(Validate, NamesAreAtMost255Bytes) {
  CheckResult r = good();
  r.subject.host = std::string(255, 'h');
  r.subject.service = std::string(255, 's');
  EXPECT_EQ(why(r), "");
  r.subject.service += 's';
  EXPECT_EQ(why(r).substr(0, 32), "service: 256 bytes, at most 255:");
  r.subject.host += 'h';
  EXPECT_EQ(why(r).substr(0, 5), "host:");
}

TEST(Validate, LongNamesAreCutInTheError) {
  CheckResult r = good();
  r.subject.host = std::string(1'000'000, 'h');
  EXPECT_LT(why(r).size(), 200U);
}

TEST(Validate, ControlCharactersInNamesAreRefused) {
  for (char c : {'\0', '\x01', '\r', '\x1b', '\x7f'}) {
    CheckResult r = good();
    r.subject.service = std::string("a") + c;
    EXPECT_NE(why(r).find("service: control character"), std::string::npos) << static_cast<int>(c);
  }
}

TEST(Validate, TabAndNewlineInNamesPass) {
  CheckResult r = good();
  r.subject.service = "a\tb\nc";
  EXPECT_EQ(why(r), "");
}

TEST(Validate, NamesAreUtf8) {
  CheckResult r = good();
  r.subject.host = "gr\xFCn";
  EXPECT_EQ(why(r), "host: not UTF-8: \"gr\\xfcn\"");
  r.subject.host = "grün";
  EXPECT_EQ(why(r), "");
}

TEST(Validate, AHostsStateEndsAtTwo) {
  CheckResult r = good();
  r.state = 3;
  EXPECT_EQ(why(r), "");
  r.subject.service.clear();
  EXPECT_EQ(why(r), "state: \"3\" is not 0-2");
}

TEST(Validate, AnIdIsAtMost64Bytes) {
  CheckResult r = good();
  r.id = std::string(64, 'i');
  EXPECT_EQ(why(r), "");
  r.id += 'i';
  EXPECT_EQ(why(r).substr(0, 26), "id: 65 bytes, at most 64: ");
  r.id = "a\x01";
  EXPECT_NE(why(r).find("id: control character"), std::string::npos);
}

TEST(Validate, AStartHasAnIdAndReportsNothing) {
  CheckResult r;
  r.subject = {"db1", "Backup"};
  r.start = true;
  EXPECT_EQ(why(r), "id: missing: a start needs the id of its run");
  r.id = "run-1";
  EXPECT_EQ(why(r), "");
  CheckResult reports = r;
  reports.state = 1;
  EXPECT_EQ(why(reports), "state: a start has none");
  reports = r;
  reports.output = "x";
  EXPECT_EQ(why(reports), "output: a start has none");
  reports = r;
  reports.perfdata = "x=1";
  EXPECT_EQ(why(reports), "perfdata: a start has none");
  reports = r;
  reports.ttl = Duration(1);
  EXPECT_EQ(why(reports), "ttl: a start has none");
}

TEST(Validate, TheCheckSourceIsANameToo) {
  CheckResult r = good();
  r.check_source = std::string(256, 'c');
  EXPECT_EQ(why(r).substr(0, 13), "check_source:");
  r.check_source = "\xFF";
  EXPECT_EQ(why(r).substr(0, 13), "check_source:");
}

}  // namespace
}  // namespace checkrelay
