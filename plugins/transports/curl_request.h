// A request on a curl easy handle: how it is set up, how the answer is collected, and what curl's
// codes mean.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include "agent/base/result.h"
#include "agent/base/time.h"
#include "agent/port/message.h"
#include "agent/port/option.h"
#include "plugins/transports/curl_library.h"

namespace checkrelay {

// What every request to a destination has in common.
struct HttpSettings {
  Duration timeout{};
  Duration connect_timeout{};
  std::string ca_file{}, client_cert{}, client_key{}, proxy{};
  bool insecure = false;
};
[[nodiscard]] HttpSettings http_settings(const Options& options);

// May be used again for the next request: the handle is set up anew only where that one differs in
// more than its body, which takes curl longer than to send it.
class CurlRequest {
 public:
  explicit CurlRequest(const HttpSettings& settings);  // `settings` must outlive it
  CurlRequest(const CurlRequest&) = delete;
  CurlRequest& operator=(const CurlRequest&) = delete;
  // REQUIRES: no transfer is under way. False where curl does not take it.
  [[nodiscard]] bool prepare(Message request);
  [[nodiscard]] CURL* easy() const { return easy_.get(); }
  // REQUIRES: the transfer has ended. The response, or a failure in curl's words.
  [[nodiscard]] Message answer(CURLcode code);

 private:
  struct EasyDeleter {
    void operator()(CURL* easy) const { curl().easy_cleanup(easy); }
  };
  struct ListDeleter {
    void operator()(curl_slist* list) const { curl().slist_free_all(list); }
  };
  [[nodiscard]] bool differs(const Message& next) const;
  void set_up();
  void set_request();
  void set_body();
  void set_credentials();
  void set_limits();
  void set_tls();
  void set_handlers();
  void add_header(const std::string& line);
  [[nodiscard]] Trouble trouble(CURLcode code) const;
  static std::size_t on_body(char* data, std::size_t size, std::size_t n, void* self);
  static std::size_t on_header(char* data, std::size_t size, std::size_t n, void* self);
  // curl takes a long, a curl_off_t or a pointer, by the option; a mere int would be read as more.
  template <typename Value>
  void set(CURLoption option, Value value) {
    static_assert(sizeof(Value) == sizeof(long) && !std::is_floating_point_v<Value>);
    if (auto code = curl().easy_setopt(easy_.get(), option, value); code != CURLE_OK)
      refused_ = code;
  }

  const HttpSettings& settings_;
  Message request_{};  // curl reads the body from here
  bool set_up_ = false, has_body_ = false;
  Message response_{};
  std::size_t header_bytes_ = 0;
  bool too_large_ = false;
  CURLcode refused_ =
      CURLE_OK;  // an option that this curl does not have: a request without it must not go out
  std::array<char, CURL_ERROR_SIZE> words_{};
  std::unique_ptr<curl_slist, ListDeleter> headers_;
  std::unique_ptr<CURL, EasyDeleter> easy_;
};

}  // namespace checkrelay
