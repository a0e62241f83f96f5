#include "spool/bundle.h"

#include <fmt/format.h>

#include "spool/bytes.h"
#include "spool/crc32c.h"

namespace checkrelay {
namespace {

constexpr std::string_view kMagic = "CRBUNDLE";
constexpr std::uint8_t kSealedFlag = 1;
constexpr std::uint32_t kMostPasses = 16;
constexpr std::uint32_t kMostMemory = 1024 * 1024;  // KiB
constexpr std::size_t kSalt = crypto_pwhash_SALTBYTES;
constexpr std::size_t kStreamHead = crypto_secretstream_xchacha20poly1305_HEADERBYTES;
constexpr std::size_t kSealBytes = crypto_secretstream_xchacha20poly1305_ABYTES;
static_assert(kSalt + 4 + 4 + kStreamHead == kSealedHead - kBundleHead);

const unsigned char* raw(std::string_view s) {
  return reinterpret_cast<const unsigned char*>(s.data());
}
unsigned char* raw(std::string& s) { return reinterpret_cast<unsigned char*>(s.data()); }

struct Key {
  std::array<unsigned char, crypto_secretstream_xchacha20poly1305_KEYBYTES> bytes{};
  Key() = default;
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;
  ~Key() { sodium_memzero(bytes.data(), bytes.size()); }
};

Result<void> derive(Key& key, const Secret& passphrase, std::string_view salt, BundleCost cost) {
  const std::string& words = passphrase.reveal();
  const int code =
      crypto_pwhash(key.bytes.data(), key.bytes.size(), words.data(), words.size(), raw(salt),
                    cost.passes, std::size_t{cost.memory} * 1024, crypto_pwhash_ALG_ARGON2ID13);
  if (code == 0) return {};
  return fail(Errc::unavailable,
              fmt::format("the passphrase takes {} MiB of memory", cost.memory / 1024));
}

std::string chance(std::size_t bytes) {
  std::string out(bytes, '\0');
  randombytes_buf(out.data(), out.size());
  return out;
}

void seal_head(std::string& head) { put_fixed(head, crc32c(head), 4); }

bool head_is_whole(std::string_view head) {
  ByteReader tail(head.substr(head.size() - 4));
  return tail.fixed(4) == crc32c(head.substr(0, head.size() - 4));
}

}  // namespace

Result<BundleCodec> BundleCodec::begin(const Secret& passphrase, Wall created, BundleCost cost) {
  if (sodium_init() < 0) return fail(Errc::unavailable, "no source of chance");
  BundleCodec codec;
  codec.created_ = created;
  codec.sealed_ = !passphrase.empty();
  codec.head_ = kMagic;
  put_fixed(codec.head_, kBundleVersion, 1);
  put_fixed(codec.head_, codec.sealed_ ? kSealedFlag : 0, 1);
  put_fixed(codec.head_, static_cast<std::uint64_t>(created.time_since_epoch().count()), 8);
  if (codec.sealed_) {
    const std::string salt = chance(kSalt);
    Key key;
    if (auto ok = derive(key, passphrase, salt, cost); !ok) return tl::unexpected(ok.error());
    std::string stream(kStreamHead, '\0');
    crypto_secretstream_xchacha20poly1305_init_push(&codec.seal_, raw(stream), key.bytes.data());
    codec.head_ += salt;
    put_fixed(codec.head_, cost.passes, 4);
    put_fixed(codec.head_, cost.memory, 4);
    codec.head_ += stream;
  }
  seal_head(codec.head_);
  return codec;
}

Result<std::size_t> BundleCodec::head_size(std::string_view first) {
  if (!first.starts_with(kMagic.substr(0, first.size())) || first.empty())
    return fail(Errc::invalid, "this is no bundle of checkrelay");
  if (first.size() < kBundleHead) return fail(Errc::corrupt, "the bundle ends within its head");
  const auto version = static_cast<std::uint8_t>(first[kMagic.size()]);
  const auto flags = static_cast<std::uint8_t>(first[kMagic.size() + 1]);
  if (version == 0 || version > kBundleVersion || flags > kSealedFlag)
    return fail(Errc::unsupported,
                fmt::format("the bundle has format {}, this program knows up to {}: it was written "
                            "by a newer checkrelay",
                            version, kBundleVersion));
  return flags == kSealedFlag ? kSealedHead : kBundleHead;
}

Result<BundleCodec> BundleCodec::read(std::string_view head, const Secret& passphrase) {
  if (sodium_init() < 0) return fail(Errc::unavailable, "no source of chance");
  const auto size = head_size(head.substr(0, kBundleHead));
  if (!size) return tl::unexpected(size.error());
  if (head.size() != *size) return fail(Errc::corrupt, "the bundle ends within its head");
  if (!head_is_whole(head)) return fail(Errc::corrupt, "the bundle's head is damaged");
  BundleCodec codec;
  codec.head_ = head;
  codec.sealed_ = *size == kSealedHead;
  ByteReader in(head.substr(kMagic.size() + 2));
  codec.created_ = Wall(Duration(static_cast<std::int64_t>(in.fixed(8))));
  if (codec.sealed_ && passphrase.empty())
    return fail(Errc::invalid, "the bundle is protected by a passphrase");
  if (!codec.sealed_ && !passphrase.empty())
    return fail(Errc::invalid, "the bundle is not protected by a passphrase, yet one was given");
  if (!codec.sealed_) return codec;
  const auto salt = in.bytes(kSalt);
  BundleCost cost;
  cost.passes = static_cast<std::uint32_t>(in.fixed(4));
  cost.memory = static_cast<std::uint32_t>(in.fixed(4));
  const bool sane = cost.passes >= 1 && cost.passes <= kMostPasses && cost.memory >= 8 &&
                    cost.memory <= kMostMemory;
  if (!sane) return fail(Errc::corrupt, "the bundle asks for too much to open its seal");
  Key key;
  if (auto ok = derive(key, passphrase, salt, cost); !ok) return tl::unexpected(ok.error());
  const auto stream = in.bytes(kStreamHead);
  if (crypto_secretstream_xchacha20poly1305_init_pull(&codec.seal_, raw(stream),
                                                      key.bytes.data()) != 0)
    return fail(Errc::corrupt, "the bundle's head is damaged");
  return codec;
}

// The head and the number go in, so that no chunk passes at another place or in another bundle.
std::uint32_t BundleCodec::checksum(std::string_view text) const {
  std::string number;
  put_fixed(number, number_, 8);
  return crc32c(text, crc32c(number, crc32c(head_)));
}

std::string BundleCodec::encode(const Chunk& chunk) {
  std::string text(1, static_cast<char>(chunk.kind));
  text += chunk.text;
  std::string out;
  if (!sealed_) {
    put_fixed(out, text.size() + 4, 4);
    put_fixed(out, checksum(text), 4);
    out += text;
  } else {
    const unsigned char tag = chunk.kind == ChunkKind::end
                                  ? crypto_secretstream_xchacha20poly1305_TAG_FINAL
                                  : crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
    std::string sealed(text.size() + kSealBytes, '\0');
    crypto_secretstream_xchacha20poly1305_push(&seal_, raw(sealed), nullptr,
                                               raw(std::string_view(text)), text.size(),
                                               raw(std::string_view(head_)), head_.size(), tag);
    put_fixed(out, sealed.size(), 4);
    out += sealed;
  }
  ++number_;
  return out;
}

std::optional<std::string> BundleCodec::unseal(std::string_view content, bool& last) {
  if (content.size() <= kSealBytes) return std::nullopt;
  std::string text(content.size() - kSealBytes, '\0');
  unsigned char tag = 0;
  const int code = crypto_secretstream_xchacha20poly1305_pull(
      &seal_, raw(text), nullptr, &tag, raw(content), content.size(), raw(std::string_view(head_)),
      head_.size());
  last = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
  return code == 0 ? std::optional(std::move(text)) : std::nullopt;
}

Result<Chunk> BundleCodec::decode(std::string_view content) {
  std::optional<std::string> text;
  bool last = false;
  if (sealed_) {
    text = unseal(content, last);
    if (!text && number_ == 0)
      return fail(Errc::invalid, "the passphrase is wrong, or the bundle is damaged at its start");
  } else if (content.size() > 4) {
    ByteReader in(content);
    const auto sum = in.fixed(4);
    if (sum == checksum(in.left())) text = std::string(in.left());
  }
  if (!text) return fail(Errc::corrupt, fmt::format("chunk {} of the bundle is damaged", number_));
  Chunk chunk;
  chunk.kind = (*text)[0] == 0 ? ChunkKind::records : ChunkKind::end;
  if (static_cast<std::uint8_t>((*text)[0]) > 1 ||
      (sealed_ && last != (chunk.kind == ChunkKind::end)))
    return fail(Errc::corrupt, fmt::format("chunk {} of the bundle is of no kind", number_));
  chunk.text = text->substr(1);
  ++number_;
  return chunk;
}

}  // namespace checkrelay
