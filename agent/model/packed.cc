#include "agent/model/packed.h"

#include <fmt/format.h>

#include <msgpack.hpp>

namespace checkrelay {
namespace {

constexpr std::uint32_t kFields = 11;

// msgpack-cxx writes to anything with write(); this is a std::string.
struct StringSink {
  std::string& out;
  void write(const char* data, std::size_t size) { out.append(data, size); }
};

void pack_text(msgpack::packer<StringSink>& p, std::string_view text) {
  p.pack_str(static_cast<std::uint32_t>(text.size()));
  p.pack_str_body(text.data(), static_cast<std::uint32_t>(text.size()));
}

std::string text_of(const msgpack::object& o) {
  if (o.type != msgpack::type::STR) throw msgpack::type_error();
  return {o.via.str.ptr, o.via.str.size};
}

CheckResult from_array(const msgpack::object_array& a) {
  auto text = [&](std::uint32_t i) { return text_of(a.ptr[i]); };
  CheckResult r;
  r.id = text(1);
  r.subject = {text(2), text(3)};
  r.state = a.ptr[4].as<State>();
  r.output = text(5);
  r.perfdata = text(6);
  r.time = Wall(Duration(a.ptr[7].as<std::int64_t>()));
  r.received = Wall(Duration(a.ptr[8].as<std::int64_t>()));
  r.ttl = Duration(a.ptr[9].as<std::int64_t>());
  r.check_source = text(10);
  return r;
}

Result<CheckResult> from_object(const msgpack::object& o) {
  if (o.type != msgpack::type::ARRAY || o.via.array.size < 1)
    return fail(Errc::corrupt, "packed result: no array");
  const msgpack::object_array& a = o.via.array;
  auto version = a.ptr[0].as<int>();
  if (version > kPackedVersion)
    return fail(Errc::unsupported,
                fmt::format("packed result: version {} is newer than {}", version, kPackedVersion));
  if (version < 1) return fail(Errc::corrupt, fmt::format("packed result: version {}", version));
  if (a.size < kFields)
    return fail(Errc::corrupt, fmt::format("packed result: {} fields of {}", a.size, kFields));
  return from_array(a);
}

}  // namespace

std::string pack(const CheckResult& r) {
  std::string out;
  out.reserve(80 + r.id.size() + r.subject.host.size() + r.subject.service.size() +
              r.output.size() + r.perfdata.size() + r.check_source.size());
  StringSink sink{out};
  msgpack::packer<StringSink> p(sink);
  p.pack_array(kFields);
  p.pack(kPackedVersion);
  pack_text(p, r.id);
  pack_text(p, r.subject.host);
  pack_text(p, r.subject.service);
  p.pack(r.state);
  pack_text(p, r.output);
  pack_text(p, r.perfdata);
  p.pack(r.time.time_since_epoch().count());
  p.pack(r.received.time_since_epoch().count());
  p.pack(r.ttl.count());
  pack_text(p, r.check_source);
  return out;
}

Result<CheckResult> unpack(std::string_view bytes) {
  try {
    // Nothing nests and no text is longer than the whole, so no claim inside the bytes can ask for
    // much memory.
    const msgpack::unpack_limit limit(64, 0, bytes.size(), 0, 0, 2);
    const auto in_place = [](msgpack::type::object_type, std::size_t, void*) { return true; };
    // Holds the array alone, and keeps its room from call to call.
    static thread_local msgpack::zone zone(1024);
    zone.clear();
    std::size_t end = 0;
    bool referenced = false;
    const msgpack::object object = msgpack::unpack(zone, bytes.data(), bytes.size(), end,
                                                   referenced, in_place, nullptr, limit);
    if (end != bytes.size())
      return fail(Errc::corrupt,
                  fmt::format("packed result: {} bytes behind its end", bytes.size() - end));
    return from_object(object);
  } catch (const std::exception& e) {
    return fail(Errc::corrupt, fmt::format("packed result: {}", e.what()));
  }
}

}  // namespace checkrelay
