#include "agent/model/packed.h"

#include <fmt/format.h>

#include <cstring>
#include <limits>
#include <msgpack.hpp>
#include <utility>

namespace checkrelay {
namespace {

constexpr std::uint32_t kFields = 11;

// What the fields take beside their texts: six texts' heads of 5 bytes, three times of 9, and the
// array's head, the version and the state.
constexpr std::size_t kHeads = 6 * 5 + 3 * 9 + 1 + 1 + 2;
static_assert(kFields < 16 && kPackedVersion < 128 && sizeof(State) == 1);

// msgpack-cxx writes to anything with write(); this is memory that is large enough.
struct Memory {
  char* end;
  void write(const char* data, std::size_t size) {
    std::memcpy(end, data, size);
    end += size;
  }
};

void pack_text(msgpack::packer<Memory>& p, std::string_view text) {
  p.pack_str(static_cast<std::uint32_t>(text.size()));
  p.pack_str_body(text.data(), static_cast<std::uint32_t>(text.size()));
}

// Takes the fields as they come, without a tree of them. A visit that is not wanted ends the
// parsing, and leaves an error.
class Fields : public msgpack::null_visitor {
 public:
  // The result, once all was parsed.
  [[nodiscard]] Result<CheckResult> take(bool parsed) {
    if (error_.what.empty() && (!parsed || next_ < kFields)) error_.what = "it is cut short";
    if (error_.what.empty()) return std::move(result_);
    error_.what.insert(0, "packed result: ");
    return tl::unexpected(std::move(error_));
  }

  bool start_array(std::uint32_t size) {
    if (std::exchange(begun_, true)) return no("it holds more than values");
    size_ = size;
    return size > 0 || no("no array");
  }
  void parse_error(std::size_t, std::size_t) { no("a byte that begins no value"); }
  bool start_map(std::uint32_t) { return no(begun_ ? "it holds more than values" : "no array"); }
  bool visit_positive_integer(std::uint64_t v) {
    if (v > std::numeric_limits<std::int64_t>::max()) return other();
    return visit_negative_integer(static_cast<std::int64_t>(v));
  }
  bool visit_negative_integer(std::int64_t v) {
    if (!begun_) return other();
    switch (next_++) {
      case 0:
        return version(v);
      case 4:
        result_.state = static_cast<State>(v);
        return v == result_.state || no(fmt::format("state {}", v));
      case 7:
        result_.time = Wall(Duration(v));
        return true;
      case 8:
        result_.received = Wall(Duration(v));
        return true;
      case 9:
        result_.ttl = Duration(v);
        return true;
      default:
        --next_;
        return other();
    }
  }
  bool visit_str(const char* text, std::uint32_t size) {
    std::string* const place = text_place();
    if (!place) return other();
    place->assign(text, size);
    ++next_;
    return true;
  }
  bool visit_nil() { return other(); }
  bool visit_boolean(bool) { return other(); }
  bool visit_float32(float) { return other(); }
  bool visit_float64(double) { return other(); }
  bool visit_bin(const char*, std::uint32_t) { return other(); }
  bool visit_ext(const char*, std::uint32_t) { return other(); }

 private:
  std::string* text_place() {
    switch (next_) {
      case 1:
        return &result_.id;
      case 2:
        return &result_.subject.host;
      case 3:
        return &result_.subject.service;
      case 5:
        return &result_.output;
      case 6:
        return &result_.perfdata;
      case 10:
        return &result_.check_source;
      default:
        return nullptr;
    }
  }
  bool version(std::int64_t v) {
    if (v > kPackedVersion) {
      error_.code = Errc::unsupported;
      return no(fmt::format("version {} is newer than {}", v, kPackedVersion));
    }
    if (v < 1) return no(fmt::format("version {}", v));
    return size_ >= kFields || no(fmt::format("{} fields of {}", size_, kFields));
  }
  // Behind the fields that this version knows any value may follow.
  bool other() {
    if (!begun_) return no("no array");
    return next_ >= kFields || no(fmt::format("field {} is of another kind", next_ + 1));
  }
  bool no(std::string what) {
    if (error_.what.empty()) error_.what = std::move(what);
    return false;
  }

  CheckResult result_{};
  Error error_{Errc::corrupt, {}};
  std::uint32_t size_ = 0;
  std::uint32_t next_ = 0;
  bool begun_ = false;
};

}  // namespace

std::string pack(const CheckResult& r) {
  std::string out(kHeads + r.id.size() + r.subject.host.size() + r.subject.service.size() +
                      r.output.size() + r.perfdata.size() + r.check_source.size(),
                  '\0');
  Memory memory{out.data()};
  msgpack::packer<Memory> p(memory);
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
  out.resize(static_cast<std::size_t>(memory.end - out.data()));
  return out;
}

Result<CheckResult> unpack(std::string_view bytes) {
  Fields fields;
  std::size_t end = 0;
  bool parsed = false;
  try {
    parsed = msgpack::parse(bytes.data(), bytes.size(), end, fields);
  } catch (const msgpack::unpack_error& e) {  // a size that no address has
    return fail(Errc::corrupt, fmt::format("packed result: {}", e.what()));
  }
  if (parsed && end != bytes.size())
    return fail(Errc::corrupt,
                fmt::format("packed result: {} bytes behind its end", bytes.size() - end));
  return fields.take(parsed);
}

}  // namespace checkrelay
