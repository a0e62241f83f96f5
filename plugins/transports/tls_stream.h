// TLS (1.2 and newer, server side) between a stream and whoever uses it, by OpenSSL on memory
// buffers. Any door may put it around its connections.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "agent/base/result.h"
#include "agent/runtime/loop.h"
#include "plugins/transports/byte_stream.h"

namespace checkrelay {

// Certificate, key and whom to trust. Immutable; shared by the connections that began with it.
class TlsContext {
 public:
  struct Files {
    std::string certificate{};  // PEM, with the chain
    std::string key{};          // PEM, without a passphrase
    std::string
        client_ca{};  // PEM; where given, every client must show a certificate that it signed
  };
  [[nodiscard]] static Result<std::shared_ptr<const TlsContext>> load(const Files& files);
  [[nodiscard]] SSL_CTX* get() const { return context_.get(); }

 private:
  explicit TlsContext(SSL_CTX* context) : context_(context, &SSL_CTX_free) {}
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
};

class TlsStream final : public ByteStream, private ByteStream::Owner {
 public:
  TlsStream(Loop& loop, std::unique_ptr<ByteStream> inner,
            std::shared_ptr<const TlsContext> context);
  ~TlsStream() override;

  void set_owner(ByteStream::Owner& owner) override { owner_ = &owner; }
  void read(bool wanted) override;
  void write(std::string_view bytes) override;
  [[nodiscard]] std::size_t unwritten() const override;
  void end() override;

 private:
  void on_bytes(std::string_view bytes) override;
  void on_end() override;
  void on_failure(const std::string& what) override;
  void on_progress() override;

  void pump();
  bool shake_hands();
  void decrypt();
  void send_plain();
  void send_cipher();
  void fail(const char* during);
  [[nodiscard]] bool live() const { return !failed_ && !broken_ && !peer_ended_; }

  Loop& loop_;
  std::unique_ptr<ByteStream> inner_;
  std::shared_ptr<const TlsContext> context_;
  std::unique_ptr<SSL, void (*)(SSL*)> ssl_;
  BIO* in_ = nullptr;   // owned by ssl_
  BIO* out_ = nullptr;  // owned by ssl_
  ByteStream::Owner* owner_ = nullptr;
  std::string plain_;  // written before the handshake was through
  bool wanted_ = false;
  bool ending_ = false;
  bool peer_ended_ = false;
  bool failed_ = false;                                     // the inner stream is gone
  bool broken_ = false;                                     // the peer does not speak TLS as we do
  std::shared_ptr<char> alive_ = std::make_shared<char>();  // what deferred calls look at
};

}  // namespace checkrelay
