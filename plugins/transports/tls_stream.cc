#include "plugins/transports/tls_stream.h"

#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstring>
#include <utility>

#include "agent/base/text.h"

namespace checkrelay {
namespace {

std::string openssl_reason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (ERR_SYSTEM_ERROR(code)) return std::strerror(static_cast<int>(ERR_GET_REASON(code)));
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason ? reason : "unknown TLS error";
}

tl::unexpected<Error> fault(const std::string& file) {
  return fail(Errc::invalid, file + ": " + openssl_reason());
}

// A key with a passphrase is an error, not a question on somebody's terminal.
int no_passphrase(char*, int, int, void*) { return 0; }

Result<void> use_client_ca(SSL_CTX* context, const std::string& file) {
  if (SSL_CTX_load_verify_locations(context, file.c_str(), nullptr) != 1) return fault(file);
  STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(file.c_str());
  if (!names) return fault(file);
  SSL_CTX_set_client_CA_list(context, names);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return {};
}

}  // namespace

Result<std::shared_ptr<const TlsContext>> TlsContext::load(const Files& files) {
  ERR_clear_error();
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  if (!context) return fault("TLS");
  std::shared_ptr<const TlsContext> made(new TlsContext(context));
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_default_passwd_cb(context, &no_passphrase);
  // Without it OpenSSL refuses resumed sessions as soon as client certificates are asked for.
  constexpr std::array<unsigned char, 10> kSessions{'c', 'h', 'e', 'c', 'k',
                                                    'r', 'e', 'l', 'a', 'y'};
  SSL_CTX_set_session_id_context(context, kSessions.data(), kSessions.size());
  if (SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1)
    return fault(files.certificate);
  if (SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1)
    return fault(files.key);
  if (files.client_ca.empty()) return made;
  if (auto used = use_client_ca(context, files.client_ca); !used)
    return tl::unexpected(used.error());
  return made;
}

TlsStream::TlsStream(Loop& loop, std::unique_ptr<ByteStream> inner,
                     std::shared_ptr<const TlsContext> context)
    : loop_(loop),
      inner_(std::move(inner)),
      context_(std::move(context)),
      ssl_(SSL_new(context_->get()), &SSL_free),
      in_(BIO_new(BIO_s_mem())),
      out_(BIO_new(BIO_s_mem())) {
  BIO_set_mem_eof_return(in_, -1);
  BIO_set_mem_eof_return(out_, -1);
  SSL_set_bio(ssl_.get(), in_, out_);
  SSL_set_accept_state(ssl_.get());
  inner_->set_owner(*this);
}

TlsStream::~TlsStream() = default;

void TlsStream::read(bool wanted) {
  const bool again = wanted && !wanted_;
  wanted_ = wanted;
  inner_->read(wanted && !failed_ && !peer_ended_);
  if (!again) return;
  // What was left undecrypted while nobody wanted it.
  loop_.defer([this, alive = std::weak_ptr<char>(alive_)] {
    if (!alive.expired()) pump();
  });
}

void TlsStream::write(std::string_view bytes) {
  if (failed_ || broken_ || ending_) return;
  plain_.append(bytes);
  send_plain();
}

std::size_t TlsStream::unwritten() const { return plain_.size() + inner_->unwritten(); }

void TlsStream::end() {
  if (ending_ || failed_) return;
  ending_ = true;
  ERR_clear_error();
  if (!broken_ && SSL_is_init_finished(ssl_.get())) SSL_shutdown(ssl_.get());
  send_cipher();
  inner_->end();
}

void TlsStream::on_bytes(std::string_view bytes) {
  if (broken_) return owner_->on_bytes(bytes);
  if (!live()) return;
  BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
  pump();
}

// Without the TLS goodbye nobody can tell whether something was cut off.
void TlsStream::on_end() {
  if (broken_) return owner_->on_end();
  if (!live()) return;
  pump();
  if (!live()) return;
  on_failure("the connection ended without a TLS close");
}

void TlsStream::on_failure(const std::string& what) {
  if (failed_) return;
  failed_ = true;
  inner_->read(false);
  owner_->on_failure(what);
}

void TlsStream::on_progress() { owner_->on_progress(); }

void TlsStream::pump() {
  if (!live() || !shake_hands()) return;
  send_plain();
  decrypt();
}

bool TlsStream::shake_hands() {
  if (SSL_is_init_finished(ssl_.get())) return true;
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  const bool waits = SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_READ;
  send_cipher();
  if (result != 1 && !waits) fail("TLS handshake");
  return result == 1;
}

void TlsStream::decrypt() {
  std::array<char, 16 * 1024> plain{};  // one TLS record
  while (wanted_ && live()) {
    ERR_clear_error();
    const int size = SSL_read(ssl_.get(), plain.data(), static_cast<int>(plain.size()));
    if (size > 0) {
      owner_->on_bytes({plain.data(), static_cast<std::size_t>(size)});
      continue;
    }
    const int error = SSL_get_error(ssl_.get(), size);
    send_cipher();
    if (error == SSL_ERROR_WANT_READ) return;
    if (error != SSL_ERROR_ZERO_RETURN) return fail("TLS");
    peer_ended_ = true;
    inner_->read(false);
    owner_->on_end();
  }
}

void TlsStream::send_plain() {
  if (plain_.empty() || !SSL_is_init_finished(ssl_.get())) return;
  std::string_view rest = plain_;
  ERR_clear_error();
  while (!rest.empty()) {
    const int size = SSL_write(ssl_.get(), rest.data(),
                               static_cast<int>(std::min<std::size_t>(rest.size(), INT_MAX)));
    if (size <= 0) break;
    rest.remove_prefix(static_cast<std::size_t>(size));
  }
  std::string().swap(plain_);
  send_cipher();
}

void TlsStream::send_cipher() {
  char* data = nullptr;
  const long size = BIO_get_mem_data(out_, &data);
  if (size <= 0) return;
  inner_->write({data, static_cast<std::size_t>(size)});
  (void)BIO_reset(out_);
}

// The alert that says why is on its way.
void TlsStream::fail(const char* during) {
  broken_ = true;
  plain_.clear();
  owner_->on_garbled(std::string(during) + ": " + openssl_reason());
}

}  // namespace checkrelay
