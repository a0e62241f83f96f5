// A feeder's body; the first byte chooses kind and format. What is taken must be a valid result.
#include <cstdint>
#include <cstdlib>

#include "agent/base/text.h"
#include "plugins/dialects/groundwork/wire.h"

using namespace checkrelay;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool hosts = data[0] & 1;
  const bool xml = data[0] & 2;
  auto batch = groundwork::read_batch(body, hosts, xml, 4096);
  if (!batch) return batch.error().what.empty() ? (std::abort(), 0) : 0;
  std::vector<groundwork::Report> reports;
  for (const groundwork::Taken& t : batch->items) {
    if (t.entity.empty()) std::abort();
    reports.push_back({t.fault.empty() ? "success" : "failure", t.entity, t.fault, ""});
    if (t.fault.empty() && (!validate(t.result) || t.result.subject.is_host() != hosts))
      std::abort();
  }
  const std::string answer = groundwork::write_results(reports, hosts, xml);
  if (!is_valid_utf8(answer)) std::abort();
  auto rows = groundwork::read_results(answer, xml ? "application/xml" : "application/json");
  if (!rows || rows->size() != reports.size()) std::abort();
  return 0;
}
