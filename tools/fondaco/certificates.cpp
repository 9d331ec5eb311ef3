#include "tools/fondaco/certificates.hpp"

#include <cstdio>
#include <ctime>
#include <memory>
#include <optional>

#include <arpa/inet.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

namespace fondaco::tools {

namespace {

template <auto F> struct freed_by {
  template <class T> void operator()(T* p) const { F(p); }
};
using key_ptr = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
using certificate_ptr = std::unique_ptr<X509, freed_by<X509_free>>;
using bio_ptr = std::unique_ptr<BIO, freed_by<BIO_free_all>>;
using file_ptr = std::unique_ptr<std::FILE, freed_by<std::fclose>>;

fault refused(const std::string& what) { return fault{"certificate_refused", what, cure::fix_input}; }

bool extend(X509* to, X509* issuer, int what, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, to, nullptr, nullptr, 0);
  auto* extension = X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str());
  const bool added = extension != nullptr && X509_add_ext(to, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

bool number_and_date(X509* c, timepoint now, std::chrono::seconds valid) {
  unsigned char serial[16];
  if (RAND_bytes(serial, sizeof serial) != 1)
    return false;
  serial[0] = static_cast<unsigned char>((serial[0] & 0x7fu) | 0x40u); // positive and of full length
  std::unique_ptr<BIGNUM, freed_by<BN_free>> number(BN_bin2bn(serial, sizeof serial, nullptr));
  if (!number || BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(c)) == nullptr)
    return false;
  const auto begin = static_cast<time_t>(to_epoch_ms(now) / 1000) - 86'400;
  return X509_set_version(c, 2) == 1 && ASN1_TIME_set(X509_getm_notBefore(c), begin) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(c), begin + 86'400 + valid.count()) != nullptr;
}

bool set_name(X509* c, const std::string& name) {
  const auto* text = reinterpret_cast<const unsigned char*>(name.c_str());
  return X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_UTF8, text, -1, -1, 0) == 1;
}

bool is_address(const std::string& host) {
  unsigned char bytes[16];
  return ::inet_pton(AF_INET, host.c_str(), bytes) == 1 || ::inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

// Only what a host can hold: anything else could add names of its own to the extension's text.
std::optional<std::string> alternative_names(const std::vector<std::string>& hosts) {
  std::string out;
  for (const auto& host : hosts) {
    if (host.empty() || host.size() > 253 ||
        host.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:") != host.npos ||
        (host.find(':') != host.npos && !is_address(host)))
      return std::nullopt;
    out += (out.empty() ? "" : ",") + std::string(is_address(host) ? "IP:" : "DNS:") + host;
  }
  return out;
}

std::string pem_of(X509* certificate, EVP_PKEY* key) {
  bio_ptr out(BIO_new(BIO_s_mem()));
  if (!out || (certificate != nullptr && PEM_write_bio_X509(out.get(), certificate) != 1) ||
      (key != nullptr && PEM_write_bio_PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1))
    return {};
  char* data = nullptr;
  const auto size = BIO_get_mem_data(out.get(), &data);
  return size > 0 ? std::string(data, static_cast<size_t>(size)) : std::string();
}

certificate_ptr first_certificate(const std::string& path) {
  file_ptr file(std::fopen(path.c_str(), "re"));
  return certificate_ptr(file ? PEM_read_X509(file.get(), nullptr, nullptr, nullptr) : nullptr);
}

std::optional<timepoint> time_of(const ASN1_TIME* t) {
  std::tm parts{};
  if (t == nullptr || ASN1_TIME_to_tm(t, &parts) != 1)
    return std::nullopt;
  return from_epoch_ms(int64_t{::timegm(&parts)} * 1000);
}

} // namespace

std::expected<made_certificates, fault> make_certificates(const std::string& name,
                                                          const std::vector<std::string>& hosts, timepoint now) {
  const auto names = alternative_names(hosts);
  if (!names || names->empty())
    return std::unexpected(refused("A host must be a DNS name or an IP address, without a port."));
  const key_ptr root_key(EVP_EC_gen("P-256"));
  const key_ptr key(EVP_EC_gen("P-256"));
  const certificate_ptr root(X509_new());
  const certificate_ptr leaf(X509_new());
  bool made = root_key && key && root && leaf;
  made = made && number_and_date(root.get(), now, limits::authority_valid) && set_name(root.get(), name + " CA") &&
         X509_set_issuer_name(root.get(), X509_get_subject_name(root.get())) == 1 &&
         X509_set_pubkey(root.get(), root_key.get()) == 1 &&
         extend(root.get(), root.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
         extend(root.get(), root.get(), NID_key_usage, "critical,keyCertSign,cRLSign") &&
         extend(root.get(), root.get(), NID_subject_key_identifier, "hash") &&
         X509_sign(root.get(), root_key.get(), EVP_sha256()) > 0;
  made = made && number_and_date(leaf.get(), now, limits::certificate_valid) && set_name(leaf.get(), name) &&
         X509_set_issuer_name(leaf.get(), X509_get_subject_name(root.get())) == 1 &&
         X509_set_pubkey(leaf.get(), key.get()) == 1 &&
         extend(leaf.get(), root.get(), NID_basic_constraints, "critical,CA:FALSE") &&
         extend(leaf.get(), root.get(), NID_key_usage, "critical,digitalSignature") &&
         extend(leaf.get(), root.get(), NID_ext_key_usage, "serverAuth") &&
         extend(leaf.get(), root.get(), NID_subject_alt_name, *names) &&
         extend(leaf.get(), root.get(), NID_authority_key_identifier, "keyid") &&
         X509_sign(leaf.get(), root_key.get(), EVP_sha256()) > 0;
  if (!made)
    return std::unexpected(refused("The cryptographic library refused to make the certificates; the name '" + name +
                                   "' must have at most 60 characters."));
  auto authority = pem_of(root.get(), nullptr);
  return made_certificates{{authority, pem_of(nullptr, root_key.get())},
                           {pem_of(leaf.get(), nullptr) + authority, pem_of(nullptr, key.get())}};
}

std::expected<certificate_facts, fault> read_certificate(const std::string& path) {
  const auto found = first_certificate(path);
  const auto begin = found ? time_of(X509_get0_notBefore(found.get())) : std::nullopt;
  const auto end = found ? time_of(X509_get0_notAfter(found.get())) : std::nullopt;
  if (!begin || !end)
    return std::unexpected(refused("'" + path + "' cannot be read or does not begin with a PEM certificate."));
  return certificate_facts{*begin, *end};
}

bool certificate_names(const std::string& path, const std::string& host) {
  const auto found = first_certificate(path);
  return found && (is_address(host) ? X509_check_ip_asc(found.get(), host.c_str(), 0) == 1
                                    : X509_check_host(found.get(), host.data(), host.size(), 0, nullptr) == 1);
}

bool key_belongs(const std::string& path, const std::string& key_path) {
  const auto found = first_certificate(path);
  file_ptr file(std::fopen(key_path.c_str(), "re"));
  if (!found || !file)
    return false;
  // Without a password to ask for: a protected key is none that a node can use.
  char none[] = "";
  const key_ptr key(PEM_read_PrivateKey(file.get(), nullptr, nullptr, none));
  return key && X509_check_private_key(found.get(), key.get()) == 1;
}

} // namespace fondaco::tools
