// The bare loop that forwards, a result a request, are held against: epoll and
// curl_multi_socket_action, nothing parsed, nothing kept.
#include <curl/curl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>

#include "tests/bench/give_up.h"
#include "tests/bench/limits.h"
#include "tests/bench/results.h"
#include "tests/bench/series.h"

namespace checkrelay::bench {
namespace {

constexpr double kMostSeconds = 60;

std::size_t swallow(char*, std::size_t size, std::size_t count, void*) { return size * count; }

class CurlLoop {
 public:
  CurlLoop(const std::string& url, Post post, std::size_t handles, std::uint64_t requests);
  ~CurlLoop();
  CurlLoop(const CurlLoop&) = delete;
  CurlLoop& operator=(const CurlLoop&) = delete;
  double run();

 private:
  static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void* known);
  static int on_timer(CURLM*, long ms, void* self);
  CURL* make_handle();
  [[nodiscard]] int wait_ms() const;
  void turn();
  void reap();

  CURLM* multi_ = curl_multi_init();
  int epoll_ = checked(epoll_create1(EPOLL_CLOEXEC), "epoll");
  double timer_at_ = -1;  // steady seconds; negative = none
  int running_ = 0;
  Post post_;
  std::string url_;
  curl_slist* headers_ = nullptr;
  std::vector<CURL*> handles_;
  std::uint64_t left_;  // to be begun
  std::uint64_t requests_;
  std::uint64_t done_ = 0;
};

CurlLoop::CurlLoop(const std::string& url, Post post, std::size_t handles, std::uint64_t requests)
    : post_(std::move(post)), url_(url + post_.target), left_(requests), requests_(requests) {
  for (const char* h : {"Content-Type: application/json", "Accept: application/json", "Expect:"})
    headers_ = curl_slist_append(headers_, h);
  for (const std::string& h : post_.headers) headers_ = curl_slist_append(headers_, h.c_str());
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  for (std::size_t i = 0; i < handles; ++i) handles_.push_back(make_handle());
}

CurlLoop::~CurlLoop() {
  for (CURL* h : handles_) {
    curl_multi_remove_handle(multi_, h);
    curl_easy_cleanup(h);
  }
  curl_multi_cleanup(multi_);
  curl_slist_free_all(headers_);
  close(epoll_);
}

CURL* CurlLoop::make_handle() {
  CURL* h = curl_easy_init();
  curl_easy_setopt(h, CURLOPT_URL, url_.c_str());
  curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers_);
  if (!post_.login.empty()) curl_easy_setopt(h, CURLOPT_USERPWD, post_.login.c_str());
  curl_easy_setopt(h, CURLOPT_POSTFIELDS, post_.body.c_str());
  curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE, static_cast<long>(post_.body.size()));
  curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, swallow);
  curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
  return h;
}

int CurlLoop::on_socket(CURL*, curl_socket_t fd, int what, void* self, void* known) {
  auto& loop = *static_cast<CurlLoop*>(self);
  if (what == CURL_POLL_REMOVE) {
    epoll_ctl(loop.epoll_, EPOLL_CTL_DEL, fd, nullptr);
    return 0;
  }
  epoll_event event{};
  event.events = ((what & CURL_POLL_IN) != 0 ? static_cast<std::uint32_t>(EPOLLIN) : 0U) |
                 ((what & CURL_POLL_OUT) != 0 ? static_cast<std::uint32_t>(EPOLLOUT) : 0U);
  event.data.fd = fd;
  epoll_ctl(loop.epoll_, known == nullptr ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
  curl_multi_assign(loop.multi_, fd, &loop);
  return 0;
}

int CurlLoop::on_timer(CURLM*, long ms, void* self) {
  static_cast<CurlLoop*>(self)->timer_at_ =
      ms < 0 ? -1 : seconds_now() + static_cast<double>(ms) / 1000;
  return 0;
}

int CurlLoop::wait_ms() const {
  if (timer_at_ < 0) return 1000;
  return static_cast<int>(std::clamp((timer_at_ - seconds_now()) * 1000, 0.0, 1000.0));
}

void CurlLoop::turn() {
  epoll_event events[64];
  int n = checked(epoll_wait(epoll_, events, 64, wait_ms()), "epoll_wait");
  for (int i = 0; i < n; ++i) {
    std::uint32_t e = events[i].events;
    int what = ((e & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) |
               ((e & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
               ((e & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0);
    curl_multi_socket_action(multi_, events[i].data.fd, what, &running_);
  }
  if (timer_at_ < 0 || timer_at_ > seconds_now()) return;
  timer_at_ = -1;
  curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running_);
}

void CurlLoop::reap() {
  int queued = 0;
  while (CURLMsg* m = curl_multi_info_read(multi_, &queued)) {
    if (m->data.result != CURLE_OK) give_up("curl: {}", curl_easy_strerror(m->data.result));
    CURL* h = m->easy_handle;
    curl_multi_remove_handle(multi_, h);
    ++done_;
    if (left_ == 0) continue;
    --left_;
    curl_multi_add_handle(multi_, h);
  }
}

double CurlLoop::run() {
  double began = seconds_now();
  for (CURL* h : handles_) {
    if (left_ == 0) break;
    --left_;
    curl_multi_add_handle(multi_, h);
  }
  while (done_ < requests_) {
    turn();
    reap();
    if (seconds_now() - began > kMostSeconds)
      give_up("the curl loop made {} of {} requests", done_, requests_);
  }
  return static_cast<double>(requests_) / (seconds_now() - began);
}

}  // namespace

Post op5_post() {
  return {"/api/command/PROCESS_SERVICE_CHECK_RESULT?format=json", {}, "bench:bench", op5_body()};
}

Post opsview_post() {
  return {
      "/rest/detail?hostname=host-00001&servicename=service-000",
      {"X-Opsview-Username: bench", "X-Opsview-Token: 0123456789abcdef0123456789abcdef01234567"},
      "",
      R"({"set_state":{"result":0,"output":"OK: fine"}})"};
}

double curl_forwards(const std::string& url, Post post, std::size_t handles,
                     std::uint64_t requests) {
  return CurlLoop(url, std::move(post), handles, requests).run();
}

}  // namespace checkrelay::bench
