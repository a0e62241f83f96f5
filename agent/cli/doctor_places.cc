#include "agent/cli/doctor_places.h"

#include <dirent.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "agent/base/text.h"
#include "agent/config/document.h"
#include "agent/config/reader.h"

namespace checkrelay {
namespace {

using Kind = Finding::Kind;
using Findings = std::vector<Finding>;

constexpr std::uint64_t kLittle = 64U << 20;  // bytes of room below which the agent soon stops
constexpr Wall kEarliest{std::chrono::seconds(1'767'225'600)};  // 2026: older than this program
constexpr unsigned kRead = 4, kWrite = 2, kSearch = 1;

// Whom the agent runs as.
class AgentUser {
 public:
  explicit AgentUser(const struct stat& state) : uid_(state.st_uid), groups_{state.st_gid} {
    const passwd* entry = ::getpwuid(uid_);
    if (entry == nullptr) return;
    std::array<gid_t, 256> groups{};
    int count = static_cast<int>(groups.size());
    if (::getgrouplist(entry->pw_name, entry->pw_gid, groups.data(), &count) < 0) return;
    groups_.assign(groups.begin(), groups.begin() + count);
  }
  [[nodiscard]] uid_t uid() const { return uid_; }
  [[nodiscard]] bool may(const struct stat& about, unsigned wish) const {
    if (uid_ == 0) return true;
    const bool group = std::find(groups_.begin(), groups_.end(), about.st_gid) != groups_.end();
    const unsigned shift = about.st_uid == uid_ ? 6 : group ? 3 : 0;
    return (about.st_mode >> shift & wish) == wish;
  }

 private:
  uid_t uid_;
  std::vector<gid_t> groups_;
};

std::optional<struct stat> look(const std::string& path) {
  struct stat about {};
  return ::stat(path.c_str(), &about) == 0 ? std::optional(about) : std::nullopt;
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == path.npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

class Places {
 public:
  explicit Places(const Config& config) : config_(config) {}

  Findings run() {
    const std::string state = config_.agent.text("state_dir");
    if (auto about = look(state)) {
      user_.emplace(*about);
      state_directory(state, *about);
      room(state, static_cast<std::uint64_t>(config_.limits.integer("max_queue")));
    } else {
      missing("state directory", state, "the agent makes it at its first start");
    }
    for (const IntakeConfig& intake : config_.intakes) door(intake);
    for (const DestinationConfig& d : config_.destinations)
      if (!d.options.text("path").empty()) target(d.name, d.options.text("path"));
    secrets();
    if (well_) add(Kind::well, "files", "owners and modes are as they should be");
    return std::move(findings_);
  }

 private:
  void add(Kind kind, std::string about, std::string what, std::string advice = {}) {
    if (kind == Kind::fault) well_ = false;
    findings_.push_back({kind, std::move(about), std::move(what), std::move(advice)});
  }

  void missing(const std::string& about, const std::string& path, const char* note) {
    if (errno == ENOENT) return add(Kind::note, about, path + " is not there; " + note);
    add(Kind::fault, about, fmt::format("{}: {}", path, std::strerror(errno)),
        "run the doctor as root or as the agent's user; the directories above must let it through");
  }

  void state_directory(const std::string& path, const struct stat& about) {
    if (!S_ISDIR(about.st_mode))
      return add(Kind::fault, "state directory", path + " is no directory",
                 "move it away, or name another place in agent.state_dir");
    if ((about.st_mode & 077U) != 0)
      add(Kind::fault, "state directory", path + " is open to others", "chmod 700 " + path);
    DIR* directory = ::opendir(path.c_str());
    if (directory == nullptr) return missing("state directory", path, "");
    while (const dirent* entry = ::readdir(directory)) {
      const std::string file = path + "/" + entry->d_name;
      auto inside = entry->d_name[0] == '.' ? std::nullopt : look(file);
      if (inside && inside->st_uid != about.st_uid)
        add(Kind::fault, "state directory", file + " belongs to another user",
            fmt::format("chown --reference={} {}; do not run the agent as root and as itself by "
                        "turns",
                        path, file));
    }
    ::closedir(directory);
  }

  void room(const std::string& path, std::uint64_t wanted) {
    struct statvfs disk {};
    if (::statvfs(path.c_str(), &disk) != 0) return;
    const std::uint64_t free = std::uint64_t{disk.f_bavail} * disk.f_frsize;
    const std::string about = "disk of " + path;
    if (disk.f_files > 0 && disk.f_favail == 0) {
      add(Kind::fault, about, "no inode is free", "remove files there");
    } else if (free < kLittle) {
      add(Kind::fault, about, fmt::format("{} are free", format_size(free)),
          "make room there, or results are refused as \"full\" soon");
    } else if (free < wanted) {
      add(Kind::note, about,
          fmt::format("{} are free, less than limits.max_queue ({}) may take", format_size(free),
                      format_size(wanted)));
    } else {
      add(Kind::well, about, fmt::format("{} are free", format_size(free)));
    }
  }

  [[nodiscard]] bool may(const struct stat& about, unsigned wish) const {
    return !user_ || user_->may(about, wish);
  }

  void door(const IntakeConfig& intake) {
    const std::string path = intake.options.text("path");
    if (path.empty()) return;
    const std::string about = "intake " + intake.type;
    if (intake.type == "spool") return spool(about, path);
    const std::string directory = parent_of(path);
    auto there = look(directory);
    if (!there) return missing(about, directory, "the agent's start fails unless it is made first");
    if (!may(*there, kWrite | kSearch))
      add(Kind::fault, about, "the agent's user may not make " + path,
          fmt::format("let it write to {}, or name another path", directory));
  }

  void spool(const std::string& about, const std::string& path) {
    auto there = look(path);
    if (!there) return missing(about, path, "the agent makes it");
    if (!S_ISDIR(there->st_mode))
      return add(Kind::fault, about, path + " is no directory", "name another path");
    if (!may(*there, kRead | kWrite | kSearch))
      add(Kind::fault, about, "the agent's user may not read and remove files in " + path,
          "give the directory to it, or to a group of its, with rwx");
    if ((there->st_mode & 0002U) != 0 && (there->st_mode & S_ISVTX) == 0)
      add(Kind::fault, about, "everybody may remove everybody's files in " + path,
          "chmod +t " + path);
    room(path, 0);
  }

  void target(const std::string& name, const std::string& path) {
    const std::string about = "destination " + name;
    auto file = look(path);
    auto directory = look(parent_of(path));
    if (!directory) return missing(about, parent_of(path), "make it");
    const bool writable = file ? may(*file, kWrite) : may(*directory, kWrite | kSearch);
    if (!writable)
      return add(Kind::fault, about, "the agent's user may not write " + path,
                 "give it the right, or name another path");
    if (file && !S_ISREG(file->st_mode))
      return add(Kind::fault, about, path + " is no regular file", "name another path");
    add(Kind::well, about, path + " may be written");
  }

  // The configuration's own text tells which files hold secrets: what was read no longer does.
  void secrets() {
    auto text = read_small_file(config_.file);
    if (!text) return;
    bool inside = false;
    secret_files(parse_document(*text).root, inside);
    auto about = look(config_.file);
    if (!about) return;
    if (inside && (about->st_mode & 0007U) != 0)
      add(Kind::fault, "configuration", config_.file + " holds a secret and is open to everybody",
          "chmod o= " + config_.file + ", or move the secret to a file of its own (password_file)");
    if (!may(*about, kRead))
      add(Kind::fault, "configuration", "the agent's user may not read " + config_.file,
          "give its group the right to read it");
  }

  void secret_files(const Node& node, bool& inside) {
    for (const Node& item : node.items) {
      const bool text = item.kind == Node::Kind::text && !item.text.empty();
      const bool file = item.key.ends_with("_file") && item.key != "ca_file";
      const bool key = item.key == "tls_key" || item.key == "client_key";
      if (text && (file || key)) secret_file(item.key, item.text);
      inside = inside || (text && (item.key == "password" || item.key == "token"));
      secret_files(item, inside);
    }
  }

  void secret_file(const std::string& key, const std::string& path) {
    auto about = look(path);
    if (!about) return missing(key, path, "make it");
    if ((about->st_mode & 0007U) != 0)
      add(Kind::fault, key, path + " is open to everybody", "chmod o= " + path);
    if (!may(*about, kRead))
      add(Kind::fault, key, "the agent's user may not read " + path,
          "give its group the right to read it");
  }

  const Config& config_;
  Findings findings_;
  std::optional<AgentUser> user_;
  bool well_ = true;
};

}  // namespace

Findings examine_places(const Config& config) { return Places(config).run(); }

Findings examine_clock(Wall now) {
  if (now >= kEarliest) return {{Kind::well, "clock", "it says " + format_rfc3339(now), {}}};
  return {{Kind::fault, "clock",
           "it says " + format_rfc3339(now) + ", before this program was made",
           "set it, and see to its synchronization: results without a time of their own get this "
           "one"}};
}

}  // namespace checkrelay
