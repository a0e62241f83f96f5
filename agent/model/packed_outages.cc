#include "agent/model/packed_outages.h"

#include <cstdint>
#include <msgpack.hpp>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

constexpr std::string_view kMagic = "checkrelay outages\n";
constexpr std::size_t kSum = 8;  // bytes
constexpr int kVersion = 1;
constexpr std::size_t kDepth = 8;

struct StringSink {
  std::string& out;
  void write(const char* data, std::size_t size) { out.append(data, size); }
};
using Packer = msgpack::packer<StringSink>;

// FNV-1a, 64 bits.
std::uint64_t sum_of(std::string_view bytes) {
  std::uint64_t sum = 0xcbf29ce484222325U;
  for (const char c : bytes) sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return sum;
}

std::string sum_text(std::string_view bytes) {
  const std::uint64_t sum = sum_of(bytes);
  std::string out;
  for (unsigned shift = 64; shift > 0; shift -= 8)
    out += static_cast<char>((sum >> (shift - 8)) & 0xffU);
  return out;
}

std::uint32_t count(std::size_t n) { return static_cast<std::uint32_t>(n); }

void put(Packer& p, std::string_view text) {
  p.pack_str(count(text.size()));
  p.pack_str_body(text.data(), count(text.size()));
}

void put(Packer& p, const PlannedOutage& o) {
  p.pack_array(8);
  for (const auto* text : {&o.id, &o.change_id, &o.description, &o.frequency, &o.start, &o.end})
    put(p, *text);
  p.pack_array(count(o.nodes.size()));
  for (const std::string& node : o.nodes) put(p, node);
  p.pack_array(count(o.elements.size()));
  for (const OutageElement& e : o.elements) {
    p.pack_array(2);
    put(p, e.node);
    put(p, e.element);
  }
}

void put(Packer& p, const KeptOutages& kept) {
  p.pack_array(4);
  put(p, kept.source);
  put(p, kept.type);
  p.pack(kept.fetched.time_since_epoch().count());
  p.pack_array(count(kept.outages.size()));
  for (const PlannedOutage& o : kept.outages) put(p, o);
}

const msgpack::object_array& array(const msgpack::object& o, std::size_t least) {
  if (o.type != msgpack::type::ARRAY || o.via.array.size < least) throw msgpack::type_error();
  return o.via.array;
}

std::string text(const msgpack::object& o) {
  if (o.type != msgpack::type::STR) throw msgpack::type_error();
  return {o.via.str.ptr, o.via.str.size};
}

template <typename T, typename Read>
std::vector<T> list(const msgpack::object& o, Read read) {
  std::vector<T> out;
  const msgpack::object_array& a = array(o, 0);
  for (std::uint32_t i = 0; i < a.size; ++i) out.push_back(read(a.ptr[i]));
  return out;
}

OutageElement element(const msgpack::object& o) {
  const auto& a = array(o, 2);
  return {text(a.ptr[0]), text(a.ptr[1])};
}

PlannedOutage outage(const msgpack::object& object) {
  const auto& a = array(object, 8);
  PlannedOutage o;
  std::size_t i = 0;
  for (auto* into : {&o.id, &o.change_id, &o.description, &o.frequency, &o.start, &o.end})
    *into = text(a.ptr[i++]);
  o.nodes = list<std::string>(a.ptr[6], text);
  o.elements = list<OutageElement>(a.ptr[7], element);
  return o;
}

KeptOutages kept_outages(const msgpack::object& object) {
  const auto& a = array(object, 4);
  return {text(a.ptr[0]), text(a.ptr[1]), Wall(Duration(a.ptr[2].as<std::int64_t>())),
          list<PlannedOutage>(a.ptr[3], outage)};
}

Result<std::vector<KeptOutages>> read(std::string_view bytes) {
  try {
    const std::size_t size = bytes.size();
    const msgpack::unpack_limit limit(size, 0, size, 0, 0, kDepth);
    const auto handle = msgpack::unpack(bytes.data(), size, nullptr, nullptr, limit);
    const auto& whole = array(handle.get(), 2);
    if (whole.ptr[0].as<int>() > kVersion)
      return fail(Errc::unsupported, "kept outages: of a newer version");
    return list<KeptOutages>(whole.ptr[1], kept_outages);
  } catch (const std::exception& e) {
    return fail(Errc::corrupt, std::string("kept outages: ") + e.what());
  }
}

}  // namespace

std::string pack_outages(const std::vector<KeptOutages>& kept) {
  std::string body;
  StringSink sink{body};
  Packer p(sink);
  p.pack_array(2);
  p.pack(kVersion);
  p.pack_array(count(kept.size()));
  for (const KeptOutages& k : kept) put(p, k);
  return std::string(kMagic) + sum_text(body) + body;
}

Result<std::vector<KeptOutages>> unpack_outages(std::string_view bytes) {
  if (!bytes.starts_with(kMagic)) return fail(Errc::corrupt, "no kept outages: " + quoted(bytes));
  bytes.remove_prefix(kMagic.size());
  if (bytes.size() < kSum || sum_text(bytes.substr(kSum)) != bytes.substr(0, kSum))
    return fail(Errc::corrupt, "kept outages: damaged");
  return read(bytes.substr(kSum));
}

}  // namespace checkrelay
