#include "plugins/transports/curl_request.h"

#include <algorithm>
#include <chrono>

#include "agent/base/text.h"
#include "plugins/transports/http_client.h"

namespace checkrelay {
namespace {

// Longest idle time of a kept connection that is used again: below the 5 s after which Apache
// closes it.
constexpr long kKeptFor = 4;

long milliseconds(Duration d) {
  using namespace std::chrono;
  return static_cast<long>(
      std::clamp<long long>(ceil<std::chrono::milliseconds>(d).count(), 1, 86'400'000));
}

// curl has one code for a handshake that failed and for a peer that went away within it; OpenSSL's
// words tell.
bool is_tls_fault(std::string_view words) {
  return words.find("SSL routines") != std::string_view::npos &&
         words.find("unexpected eof") == std::string_view::npos;
}

bool holds_line_end(const std::string& text) {
  return text.find_first_of("\r\n") != std::string::npos;
}

}  // namespace

HttpSettings http_settings(const Options& options) {
  return {options.duration("timeout"), options.duration("connect_timeout"), options.text("ca_file"),
          options.text("client_cert"), options.text("client_key"),          options.text("proxy"),
          options.flag("insecure")};
}

CurlRequest::CurlRequest(const HttpSettings& settings)
    : settings_(settings), easy_(curl().easy_init()) {}

bool CurlRequest::prepare(Message request) {
  if (!easy_) return false;
  const bool anew = !set_up_ || differs(request);
  request_ = std::move(request);
  has_body_ = !request_.body.empty() || request_.method == "POST" || request_.method == "PUT";
  response_ = {};
  response_.kind = Message::Kind::response;
  header_bytes_ = 0;
  too_large_ = false;
  words_[0] = '\0';
  if (anew) {
    set_up();
  } else if (has_body_) {
    set_body();
  }
  set_up_ = refused_ == CURLE_OK;
  return set_up_;
}

bool CurlRequest::differs(const Message& next) const {
  const auto same = [](const auto& a, const auto& b) {
    return a.has_value() == b.has_value() && (!a || (a->user == b->user && a->secret == b->secret));
  };
  return next.target != request_.target || next.method != request_.method ||
         (has_body_ && next.body.empty()) || (!has_body_ && !next.body.empty()) ||
         !std::equal(next.headers.begin(), next.headers.end(), request_.headers.begin(),
                     request_.headers.end(),
                     [](const Header& a, const Header& b) {
                       return a.name == b.name && a.value == b.value;
                     }) ||
         next.secret_headers != request_.secret_headers ||
         !same(next.credentials, request_.credentials);
}

void CurlRequest::set_up() {
  curl().easy_reset(easy_.get());
  headers_.reset();
  refused_ = CURLE_OK;
  set_handlers();
  set_request();
  set_credentials();
  set_limits();
  set_tls();
}

void CurlRequest::set_request() {
  set(CURLOPT_URL, request_.target.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_USERAGENT, "checkrelay/" CHECKRELAY_VERSION);
  set(CURLOPT_ACCEPT_ENCODING, "gzip");  // read, since some compress unasked; not asked for
  if (request_.method == "HEAD") set(CURLOPT_NOBODY, 1L);
  if (has_body_) {
    set(CURLOPT_POST, 1L);
    set_body();
  }
  if (request_.method != (has_body_ ? "POST" : "GET"))
    set(CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  add_header("Accept-Encoding:");
  add_header("Expect:");  // or curl waits a second for a "100 Continue" that few servers send
  for (const Header& h : request_.headers) {
    if (!holds_line_end(h.name) && !holds_line_end(h.value)) add_header(h.name + ": " + h.value);
  }
  for (const SecretHeader& h : request_.secret_headers) {
    if (!holds_line_end(h.name) && !holds_line_end(h.value.reveal()))
      add_header(h.name + ": " + h.value.reveal());
  }
  set(CURLOPT_HTTPHEADER, headers_.get());
}

void CurlRequest::set_body() {
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
  set(CURLOPT_POSTFIELDS, request_.body.data());
}

void CurlRequest::add_header(const std::string& line) {
  curl_slist* longer = curl().slist_append(headers_.get(), line.c_str());
  if (!longer) return void(refused_ = CURLE_OUT_OF_MEMORY);
  (void)headers_.release();
  headers_.reset(longer);
}

void CurlRequest::set_credentials() {
  set(CURLOPT_NETRC, long{CURL_NETRC_IGNORED});
  if (!request_.credentials) return;
  const Credentials& c = *request_.credentials;
  if (c.user.empty()) {
    set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BEARER));
    set(CURLOPT_XOAUTH2_BEARER, c.secret.reveal().c_str());
    return;
  }
  set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
  set(CURLOPT_USERNAME, c.user.c_str());
  set(CURLOPT_PASSWORD, c.secret.reveal().c_str());
}

void CurlRequest::set_limits() {
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_QUICK_EXIT, 1L);  // or cancelling a slow name lookup waits for it
  set(CURLOPT_TIMEOUT_MS, milliseconds(settings_.timeout));
  set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds(settings_.connect_timeout));
  set(CURLOPT_MAXAGE_CONN, kKeptFor);
  set(CURLOPT_PROXY, settings_.proxy.c_str());  // empty: none, whatever the environment says
  set(CURLOPT_NOPROXY, "");
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

void CurlRequest::set_tls() {
  set(CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
  set(CURLOPT_SSL_VERIFYPEER, settings_.insecure ? 0L : 1L);
  set(CURLOPT_SSL_VERIFYHOST, settings_.insecure ? 0L : 2L);
  if (!settings_.ca_file.empty()) {
    set(CURLOPT_CAINFO, settings_.ca_file.c_str());
    set(CURLOPT_CAPATH,
        static_cast<char*>(nullptr));  // or the system's authorities are trusted, too
  }
  if (!settings_.client_cert.empty()) set(CURLOPT_SSLCERT, settings_.client_cert.c_str());
  if (!settings_.client_key.empty()) set(CURLOPT_SSLKEY, settings_.client_key.c_str());
}

void CurlRequest::set_handlers() {
  set(CURLOPT_ERRORBUFFER, words_.data());
  set(CURLOPT_WRITEFUNCTION, &CurlRequest::on_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  set(CURLOPT_HEADERFUNCTION, &CurlRequest::on_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
}

std::size_t CurlRequest::on_body(char* data, std::size_t size, std::size_t n, void* self) {
  auto& request = *static_cast<CurlRequest*>(self);
  if (request.response_.body.size() + size * n > kAnswerCap) {
    request.too_large_ = true;
    return 0;
  }
  request.response_.body.append(data, size * n);
  return size * n;
}

std::size_t CurlRequest::on_header(char* data, std::size_t size, std::size_t n, void* self) {
  auto& request = *static_cast<CurlRequest*>(self);
  request.header_bytes_ += size * n;
  if (request.header_bytes_ > kHeaderCap) {
    request.too_large_ = true;
    return 0;
  }
  std::string_view line(data, size * n);
  if (line.starts_with("HTTP/")) request.response_.headers.clear();  // after a 1xx
  std::size_t colon = line.find(':');
  if (colon != std::string_view::npos && !line.starts_with("HTTP/")) {
    request.response_.headers.push_back({std::string(trimmed(line.substr(0, colon))),
                                         std::string(trimmed(line.substr(colon + 1)))});
  }
  return size * n;
}

Message CurlRequest::answer(CURLcode code) {
  std::string().swap(request_.body);  // may be large, and wait long for the next
  if (code != CURLE_OK) {
    std::string what = words_[0] != '\0' ? words_.data() : curl().easy_strerror(code);
    if (too_large_) what = "the answer is larger than " + format_size(kAnswerCap);
    return Message::failure(trouble(code), std::move(what));
  }
  long status = 0;
  curl().easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  response_.status = static_cast<int>(status);
  return std::move(response_);
}

Trouble CurlRequest::trouble(CURLcode code) const {
  if (too_large_) return Trouble::too_large;
  const std::string_view words = words_.data();
  curl_off_t sent_at = 0;
  curl().easy_getinfo(easy_.get(), CURLINFO_PRETRANSFER_TIME_T, &sent_at);
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
    case CURLE_INTERFACE_FAILED:
    case CURLE_URL_MALFORMAT:
      return Trouble::connect;
    case CURLE_SSL_CONNECT_ERROR:
      return is_tls_fault(words) ? Trouble::tls : Trouble::connect;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CLIENTCERT:
    case CURLE_USE_SSL_FAILED:
      return Trouble::tls;
    case CURLE_OPERATION_TIMEDOUT:
      return sent_at == 0 ? Trouble::connect : Trouble::timeout;
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
      return Trouble::io;
    default:  // TLS 1.3: the alert about our certificate comes after the handshake
      if (words.find(" alert ") != std::string_view::npos) return Trouble::tls;
      return sent_at == 0 ? Trouble::connect : Trouble::dropped;
  }
}

}  // namespace checkrelay
