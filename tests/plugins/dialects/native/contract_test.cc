#include <msgpack.hpp>

#include "plugins/dialects/native/dialect.h"
#include "tests/contract/stream_contract.h"

namespace checkrelay::test {
namespace {

constexpr std::string_view kJson =
    "{\"host\":\"db1\",\"service\":\"Backup\",\"state\":0,\"output\":\"done | t=1s\"}\n"
    "{\"host\":\"db1\",\"state\":\"9\"}\n"
    "\r\n"
    "{\"host\":\"db1\",\"state\":\"DOWN\",\"output\":\"caf\xE9\",\"id\":\"a\"}\r\n"
    "not an object\n"
    "{\"service\":\"s\",\"state\":2,\"time\":1700000000.25,\"ttl\":\"1h\"}";

constexpr std::string_view kCommands =
    "[1700000000] PROCESS_SERVICE_CHECK_RESULT;db1;Backup;2;no space\\nleft|used=100%\n"
    "[1700000001] RESTART_PROGRAM\n"
    "[1700000002] PROCESS_HOST_CHECK_RESULT;db1;1;gone\n";

constexpr std::string_view kNsca =
    "\n\ndb1\tBackup\t0\tdone\n"
    "db1\t1\tgone\x17"
    "db1\tBackup\t0\n"
    "db1\tBackup\t3\tunsure";

std::string packed(std::string_view host, int state) {
  msgpack::sbuffer buffer;
  msgpack::packer<msgpack::sbuffer> pack(buffer);
  pack.pack_map(3);
  pack.pack(std::string("host"));
  pack.pack(std::string(host));
  pack.pack(std::string("state"));
  pack.pack(state);
  pack.pack(std::string("output"));
  pack.pack(std::string(300, 'x'));
  return {buffer.data(), buffer.size()};
}

StreamCase of(std::string name, Framing framing, std::string_view input, std::size_t results) {
  InboundContext context;
  context.framing = framing;
  context.max_result = 400;
  return {std::move(name), &native_dialect(), context, std::string(input), results};
}

}  // namespace

std::vector<StreamCase> stream_cases() {
  std::string maps = packed("db1", 0) + packed("db2", 7) + packed("db3", 1);
  std::string overlong = "{\"host\":\"" + std::string(1000, 'x') + "\"}\n" + std::string(kJson);
  return {
      of("json", Framing::stream, kJson, 3),
      of("json_file", Framing::file, kJson, 3),
      of("commands", Framing::stream, kCommands, 2),
      of("nsca", Framing::stream, kNsca, 3),
      of("msgpack", Framing::stream, maps, 2),
      of("msgpack_file", Framing::file, maps, 2),
      of("overlong", Framing::stream, overlong, 3),
      of("overlong_file", Framing::file, overlong, 3),
  };
}

}  // namespace checkrelay::test
