#include "tests/plugins/transports/outbound/certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdlib>
#include <filesystem>
#include <memory>

namespace checkrelay::testing_peer {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using File = std::unique_ptr<std::FILE, decltype(&std::fclose)>;

File open(const std::string& path, const char* mode) {
  return {std::fopen(path.c_str(), mode), &std::fclose};
}

void extend(X509* certificate, int nid, const std::string& value) {
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Certificate unsigned_certificate(const std::string& name, EVP_PKEY* key) {
  static long serial = 1;
  Certificate certificate(X509_new(), &X509_free);
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  return certificate;
}

}  // namespace

Certificates::Certificates() {
  std::string pattern =
      (std::filesystem::temp_directory_path() / "checkrelay-certs-XXXXXX").string();
  if (!::mkdtemp(pattern.data())) std::abort();
  directory_ = pattern;
}

Certificates::~Certificates() { std::filesystem::remove_all(directory_); }

void Certificates::make(const std::string& name, const std::string& alternative,
                        const std::string& issuer) {
  Key key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  Certificate certificate = unsigned_certificate(name, key.get());
  if (issuer.empty()) extend(certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  if (!alternative.empty()) extend(certificate.get(), NID_subject_alt_name, alternative);
  Key issuer_key(nullptr, &EVP_PKEY_free);
  X509_NAME* issuer_name = X509_get_subject_name(certificate.get());
  Certificate issuer_certificate(nullptr, &X509_free);
  if (!issuer.empty()) {
    issuer_key.reset(
        PEM_read_PrivateKey(open(path(issuer + ".key"), "r").get(), nullptr, nullptr, nullptr));
    issuer_certificate.reset(
        PEM_read_X509(open(path(issuer + ".pem"), "r").get(), nullptr, nullptr, nullptr));
    issuer_name = X509_get_subject_name(issuer_certificate.get());
  }
  X509_set_issuer_name(certificate.get(), issuer_name);
  X509_sign(certificate.get(), issuer_key ? issuer_key.get() : key.get(), EVP_sha256());
  PEM_write_X509(open(path(name + ".pem"), "w").get(), certificate.get());
  PEM_write_PrivateKey(open(path(name + ".key"), "w").get(), key.get(), nullptr, nullptr, 0,
                       nullptr, nullptr);
}

}  // namespace checkrelay::testing_peer
