// A producer's request: the first byte chooses form and content type, the URL parameters end at the
// first line end, the rest is the body.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>

#include "plugins/dialects/opsview/inbound.h"

using namespace checkrelay;
using namespace checkrelay::opsview;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  constexpr std::array<const char*, 4> kTypes{"application/json", "text/xml", "text/x-data-dumper",
                                              "application/x-www-form-urlencoded"};
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  Message m = Message::request("POST", "/rest/status?" + std::string(rest.substr(0, end)),
                               std::string(rest.substr(std::min(end + 1, rest.size()))));
  m.headers.push_back({"Content-Type", kTypes[data[0] / 2 % 4]});
  auto given = read_request(m);
  if (!given) return given.error().what.empty() ? (std::abort(), 0) : 0;
  auto result = read_result(data[0] & 1 ? Form::detail : Form::status, *given);
  if (!result) return result.error().what.empty() ? (std::abort(), 0) : 0;
  if (!validate(*result)) std::abort();
  if (result->subject.host.find('%') != std::string::npos) std::abort();
  static_cast<void>(reply(m, 200, confirmation(Form::status, result->subject)));
  return 0;
}
