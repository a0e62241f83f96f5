// Every sort of fault: what is written, and what a person then reads.
#include <gtest/gtest.h>

#include "agent/config/config.h"
#include "small_registry.h"

namespace checkrelay {
namespace {

std::string faults_of(std::string_view text) {
  std::string out;
  for (const Fault& fault : parse_config(text, "c", testing::small_registry()).faults) {
    out += to_string(fault) + "\n";
  }
  return out;
}

// The least that is valid, on one line each, so that the line numbers of a case begin at 3.
constexpr std::string_view kWayIn = "agent.socket = \"/tmp/s\"\n";
constexpr std::string_view kWayOut =
    "destination = [{name = \"d\", type = \"file\", path = \"/tmp/d\"}]\n";

TEST(ConfigFault, LettersBeyondAsciiOutsideStringsAreFaults) {
  for (const char* letter : {"\xc2\xa0", "\xc2\xa1", "\xc3\xa9", "\xc6\x91", "\xd2\x99",
                             "\xe2\x80\x8b", "\xe3\x80\x80", "\xef\xbb\xbf"}) {
    EXPECT_NE(faults_of(std::string("x") + letter + " = 1\n"), "") << letter;
    EXPECT_NE(faults_of(std::string("log = ") + letter + "\n"), "") << letter;
    EXPECT_NE(faults_of(std::string("[log]") + letter + "\n"), "") << letter;
  }
}

TEST(ConfigFault, LetterBeyondAsciiMayFollowAContinuedLine) {
  const Loaded loaded = parse_config("[agent]\nhostname = \"\"\"a\\\n  \xc3\xa9\"\"\"\n", "c",
                                     testing::small_registry());
  EXPECT_EQ(loaded.config.agent.text("hostname"), "a\xc3\xa9");
}

TEST(ConfigFault, BrokenTomlIsToldOnOneLine) {
  for (const char* text : {"a = t\n", "a = tr\r\n", "a = 1\x01\n", "a = \"\x1b\"\n", "a = \n"}) {
    const Loaded loaded = parse_config(text, "c", testing::small_registry());
    ASSERT_EQ(loaded.faults.size(), 1U) << text;
    for (char c : loaded.faults[0].what) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << text;
  }
}

struct Case {
  const char* name;
  std::string text;
  std::string faults;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.text; }

std::string framed(std::string_view text) {
  return std::string(kWayIn) + std::string(kWayOut) + std::string(text);
}
std::string out_only(std::string_view text) { return std::string(kWayOut) + std::string(text); }
std::string in_only(std::string_view text) { return std::string(kWayIn) + std::string(text); }

std::vector<Case> cases() {
  return {
      {"LeastIsValid", framed(""), ""},
      {"NotToml", framed("[limits\n"),
       "c:3: Error while parsing table header: expected ']', saw '\\n'\n"},
      {"UnknownSection", framed("[limit]\n"),
       "c:3: limit: unknown section; did you mean \"limits\"?\n"},
      {"UnknownTopKey", framed("zzz = 1\n"), "c:3: zzz: unknown key\n"},
      {"UnknownKey", framed("[limits]\nmax_resul = \"1KiB\"\n"),
       "c:4: limits.max_resul: unknown key; did you mean \"max_result\"?\n"},
      {"SectionThatIsNoTable", framed("log = 3\n"), "c:3: log: is written as a [log] table\n"},
      {"WrongType", framed("[limits]\nmax_connections = \"many\"\nmax_body = 5\n"),
       "c:4: limits.max_connections: expected an integer, got a string\n"
       "c:5: limits.max_body: expected a size such as \"64KiB\", got an integer\n"},
      {"BareNumberForADuration", framed("[limits]\nidle_timeout = 60\n"),
       "c:4: limits.idle_timeout: expected a duration such as \"90s\", got an integer\n"},
      {"OutOfRange", framed("[limits]\nmax_connections = 0\n"),
       "c:4: limits.max_connections: 0 is not within 1 to 1000000\n"},
      {"NoDuration", framed("[limits]\nidle_timeout = \"soon\"\n"),
       "c:4: limits.idle_timeout: \"soon\" is no duration such as \"90s\" or \"24h\"\n"},
      {"NoSize", framed("[limits]\nmax_queue = \"-4GiB\"\n"),
       "c:4: limits.max_queue: \"-4GiB\" is no size such as \"64KiB\"\n"},
      {"ZeroLimit", framed("[limits]\nmax_result = \"0\"\n"),
       "c:4: limits.max_result: must not be zero\n"},
      {"QueueTooSmallForAJournal",
       framed("[limits]\nmax_result = \"1KiB\"\nmax_queue = \"512KiB\"\n"),
       "c:5: limits.max_queue: must not be less than 1MiB\n"},
      {"QueueSmallerThanAResult", framed("[limits]\nmax_result = \"1MiB\"\nmax_queue = \"1KiB\"\n"),
       "c:5: limits.max_queue: must not be less than max_result\n"},
      {"NotAChoice", framed("[log]\nlevel = \"inof\"\n"),
       "c:4: log.level: \"inof\" is not one of trace, debug, info, warn, error; did you mean "
       "\"info\"?\n"},
      {"HostNameWithControlCharacter",
       "[agent]\nsocket = \"/s\"\nhostname = \"a\\u0001\"\n" +
           std::string("[[destination]]\nname=\"d\"\ntype=\"file\"\n"
                       "path=\"/d\"\n"),
       "c:3: agent.hostname: "},
      {"NoWayIn", out_only(""),
       "c: intake: there is no way in: neither an [[intake]] nor agent.socket\n"},
      {"NoDestination", in_only(""),
       "c: destination: there is none: add a [[destination]] for results to go to\n"},
      {"IntakeWithoutType", framed("[[intake]]\npath = \"/x\"\n"),
       "c:3: intake.type: is required\n"},
      {"UnknownIntakeType", framed("[[intake]]\ntype = \"spol\"\n"),
       "c:4: intake.type: \"spol\" is not one of unix, spool, tcp, http; did you mean "
       "\"spool\"?\n"},
      {"RequiredOption", framed("[[intake]]\ntype = \"spool\"\n"),
       "c:3: intake.spool.path: is required\n"},
      {"RelativePath", framed("[[intake]]\ntype = \"spool\"\npath = \"spool\"\n"),
       "c:5: intake.spool.path: \"spool\" is not an absolute path\n"},
      {"NoMode", framed("[[intake]]\ntype = \"unix\"\npath = \"/x\"\nmode = \"0999\"\n"),
       "c:6: intake.unix.mode: \"0999\" is no file mode such as \"0660\"\n"},
      {"ListOfNumbers", framed("[[intake]]\ntype = \"unix\"\npath = \"/x\"\nallow_users = [1]\n"),
       "c:6: intake.unix.allow_users: expected strings only, got an integer\n"},
      {"UnknownUser",
       framed(
           "[[intake]]\ntype = \"unix\"\npath = \"/x\"\nallow_users = [\"root\", \"no such\"]\n"),
       "c:6: intake.unix.allow_users: there is no user \"no such\"\n"},
      {"PathTooLongForASocket",
       framed("[[intake]]\ntype = \"unix\"\npath = \"/" + std::string(107, 'x') + "\"\n"),
       "c:5: intake.unix.path: 108 bytes, a socket's path has at most 107: \"/" +
           std::string(107, 'x') + "\"\n"},
      {"TwoIntakesInOnePlace", framed("[[intake]]\ntype = \"unix\"\npath = \"/tmp/s\"\n"),
       "c:5: intake.unix.path: \"/tmp/s\" is taken by the intake of line 1\n"},
      {"UnknownDialect",
       framed("[[intake]]\ntype = \"unix\"\npath = \"/x\"\ndialects = [\"natve\"]\n"),
       "c:6: intake.unix.dialects: \"natve\" is not one of native, nagios; did you mean "
       "\"native\"?\n"},
      {"DialectThatDoesNotComeInThere",
       framed("[[intake]]\ntype = \"tcp\"\nlisten = \"127.0.0.1:1\"\ndialects = [\"op5\"]\n"),
       "c:6: intake.tcp.dialects: \"op5\" is not one of native, nagios\n"},
      {"NoDialect", framed("[[intake]]\ntype = \"unix\"\npath = \"/x\"\ndialects = []\n"),
       "c:6: intake.unix.dialects: is empty: nobody could be understood\n"},
      {"NoListenAddress", framed("[[intake]]\ntype = \"tcp\"\nlisten = \"localhost\"\n"),
       "c:5: intake.tcp.listen: \"localhost\" is not \"address:port\"\n"},
      {"OpenHttpListener", framed("[[intake]]\ntype = \"http\"\nlisten = \"0.0.0.0:80\"\n"),
       "c:5: intake.http.listen: \"0.0.0.0:80\" is not loopback and there is no [[intake.user]]: "
       "anybody could hand in results\n"},
      {"CertificateWithoutItsKey",
       framed("[[intake]]\ntype = \"tcp\"\nlisten = \"127.0.0.1:1\"\ntls_cert = \"/c\"\n"),
       "c:6: intake.tcp.tls_cert: needs tls_key too\n"},
      {"UsersOfASocket",
       framed("[[intake]]\ntype = \"unix\"\npath = \"/x\"\n[[intake.user]]\n"
              "name = \"a\"\npassword = \"b\"\n"),
       "c:6: intake.unix.user: only an http intake has users\n"},
      {"UserWithoutPassword",
       framed("[[intake]]\ntype = \"http\"\nlisten = \":80\"\n[[intake.user]]\nname = \"a\"\n"),
       "c:6: intake.http.user.password: is required\n"},
      {"UserTwice",
       framed("[[intake]]\ntype = \"http\"\nlisten = \":80\"\n[[intake.user]]\n"
              "name = \"a\"\npassword = \"b\"\n[[intake.user]]\nname = \"a\"\n"
              "password = \"\"\n"),
       "c:9: intake.http.user.name: \"a\" is here twice\n"
       "c:9: intake.http.user.password: must not be empty\n"},
      {"DestinationWithoutName", in_only("[[destination]]\ntype = \"file\"\npath = \"/x\"\n"),
       "c:2: destination.name: is required\n"},
      {"DestinationTwice",
       in_only("[[destination]]\nname = \"a\"\ntype = \"file\"\npath = \"/x\"\n"
               "[[destination]]\nname = \"a\"\ntype = \"file\"\npath = \"/y\"\n"),
       "c:7: destination.name: \"a\" is the name of another destination\n"},
      {"DestinationNameThatIsNone",
       in_only("[[destination]]\nname = \"a b\"\ntype = \"file\"\npath = \"/x\"\n"),
       "c:3: destination.name: \"a b\" is not up to 64 letters, digits, '.', '_' and '-'\n"},
      {"UnknownDestinationType", in_only("[[destination]]\nname = \"a\"\ntype = \"opp5\"\n"),
       "c:4: destination.a.type: \"opp5\" is not one of op5, file; did you mean \"op5\"?\n"},
      {"InboundDialectAsDestination", in_only("[[destination]]\nname = \"a\"\ntype = \"nagios\"\n"),
       "c:4: destination.a.type: \"nagios\" is not one of op5, file\n"},
      {"MissingUrl", in_only("[[destination]]\nname = \"a\"\ntype = \"op5\"\n"),
       "c:2: destination.a.url: is required\n"},
      {"UrlWithoutScheme",
       in_only("[[destination]]\nname = \"a\"\ntype = \"op5\"\nurl = \"m.org\"\n"),
       "c:5: destination.a.url: \"m.org\" does not begin with http:// or https://\n"},
      {"UrlWithPasswordIsNotRepeated",
       in_only("[[destination]]\nname = \"a\"\ntype = \"op5\"\nurl = \"https://u:geheim@m\"\n"),
       "c:5: destination.a.url: a URL must not hold a user or password; use their own keys\n"},
      {"OptionOfAnotherType",
       in_only(
           "[[destination]]\nname = \"a\"\ntype = \"op5\"\nurl = \"http://m\"\nbeacon = \"/x\"\n"),
       "c:6: destination.a.beacon: unknown key\n"},
      {"BatchOutOfRange",
       in_only("[[destination]]\nname = \"a\"\ntype = \"op5\"\nurl = \"http://m\"\nbatch_max = 0\n"
               "rate = -1\n"),
       "c:6: destination.a.batch_max: 0 is not within 1 to 10000\n"
       "c:7: destination.a.rate: \"-1\" is not a number from 0 up\n"},
      {"RetryMinAboveRetryMax",
       in_only("[[destination]]\nname = \"a\"\ntype = \"op5\"\nurl = \"http://m\"\n"
               "retry_min = \"10m\"\n"),
       "c:6: destination.a.retry_min: must not be more than retry_max\n"},
      {"FreshFirstWhereTheUpstreamStampsResults",
       in_only("[[destination]]\nname = \"a\"\ntype = \"op5\"\nurl = \"http://m\"\n"
               "drain = \"fresh_first\"\n"),
       "c:6: destination.a.drain: \"fresh_first\" is for upstreams that take the time of a result; "
       "this one stamps results on arrival, so that an old one would look like the newest\n"},
      {"WhatOnlyTheDialectKnows",
       in_only("[[destination]]\nname = \"a\"\ntype = \"op5\"\nurl = \"http://m\"\n"
               "username = \"nobody\"\n"),
       "c:2: destination.a: nobody may not log in\n"},
      {"SecretOfWrongTypeIsNotRepeated",
       in_only("[[destination]]\nname = \"a\"\ntype = \"op5\"\nurl = \"http://m\"\n"
               "password = 4711\n"),
       "c:6: destination.a.password: expected a string, got an integer\n"},
      {"UnreadableSecretFile",
       in_only("[[destination]]\nname = \"a\"\ntype = \"op5\"\nurl = \"http://m\"\n"
               "password_file = \"/nonexistent/p\"\n"),
       "c:6: destination.a.password_file: \"/nonexistent/p\" cannot be opened: No such file or "
       "directory\n"},
      {"MistypedSecretFile",
       in_only("[[destination]]\nname = \"a\"\ntype = \"op5\"\nurl = \"http://m\"\n"
               "pasword_file = \"/p\"\n"),
       "c:6: destination.a.pasword_file: unknown key; did you mean \"password_file\"?\n"},
      {"RouteToNowhere", framed("[[route]]\nhost = \"a\"\ndestinations = [\"dd\"]\n"),
       "c:5: route.destinations: no destination is called \"dd\"; did you mean \"d\"?\n"},
      {"RouteWithoutDestinations",
       framed("[[route]]\nhost = \"a\"\n[[route]]\ndestinations = []\n"),
       "c:3: route.destinations: is required\n"
       "c:6: route.destinations: is empty\n"},
      {"SingleTableForAnArray", out_only("[intake]\ntype = \"unix\"\n"),
       "c:2: intake: is written as [[intake]] tables\n"},
  };
}

class Faults : public ::testing::TestWithParam<Case> {};

TEST_P(Faults, NameFileLineKeyAndReason) {
  std::string faults = faults_of(GetParam().text);
  if (GetParam().faults.ends_with(' ')) {
    EXPECT_TRUE(faults.starts_with(GetParam().faults)) << faults;
  } else {
    EXPECT_EQ(faults, GetParam().faults);
  }
}

INSTANTIATE_TEST_SUITE_P(Table, Faults, ::testing::ValuesIn(cases()),
                         [](const auto& one) { return std::string(one.param.name); });

TEST(FaultsTogether, AreAllNamedInTheOrderOfTheFile) {
  std::string faults = faults_of(
      "[agent]\nsocket = 5\n[limits]\nmax_body = true\n[[destination]]\nname = \"a\"\n"
      "type = \"other\"\n[[route]]\ndestinations = [\"a\", \"b\"]\n");
  EXPECT_EQ(faults,
            "c:2: agent.socket: expected a string, got an integer\n"
            "c:4: limits.max_body: expected a size such as \"64KiB\", got true or false\n"
            "c:7: destination.a.type: \"other\" is not one of op5, file\n"
            "c:9: route.destinations: no destination is called \"b\"\n");
}

TEST(FaultsTogether, HostileTextEndsInFaultsOnly) {
  for (std::string text :
       {std::string(100'000, '['), std::string("a = \"\0\"", 7), std::string("\xff\xfe\x00", 3),
        std::string("a = ") + std::string(5000, '{'),
        std::string("[[intake]]\n[intake.user]\nx=1\n"),
        std::string("intake = [1, {type = \"unix\"}]\n")}) {
    EXPECT_FALSE(parse_config(text, "c", testing::small_registry()).faults.empty());
  }
}

}  // namespace
}  // namespace checkrelay
