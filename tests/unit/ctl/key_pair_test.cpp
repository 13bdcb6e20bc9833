// SPDX-License-Identifier: Apache-2.0
#include "ctl/key_pair.hpp"

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

namespace gerbang::ctl {
namespace {

using config::KeyPair;

std::string text_of(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  std::string out(data, static_cast<std::size_t>(size));
  BIO_free(memory);
  return out;
}

// A new key and a certificate of it, signed by itself.
struct Pair {
  explicit Pair(const char* passphrase = nullptr) {
    EVP_PKEY* made = EVP_EC_gen("P-256");
    X509* signed_by_it = X509_new();
    X509_gmtime_adj(X509_getm_notBefore(signed_by_it), 0);
    X509_gmtime_adj(X509_getm_notAfter(signed_by_it), 3600);
    X509_set_pubkey(signed_by_it, made);
    EXPECT_GT(X509_sign(signed_by_it, made, EVP_sha256()), 0);
    BIO* out = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(out, signed_by_it);
    certificate = text_of(out);
    out = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(out, made, passphrase ? EVP_aes_128_cbc() : nullptr, nullptr, 0,
                             nullptr, const_cast<char*>(passphrase));
    key = text_of(out);
    X509_free(signed_by_it);
    EVP_PKEY_free(made);
  }
  std::string certificate, key;
};

TEST(KeyPairs, AKeyFitsItsOwnCertificateOnly) {
  const Pair ours, theirs;

  EXPECT_EQ(key_pair(ours.certificate, ours.key), KeyPair::fits);
  EXPECT_EQ(key_pair(ours.certificate, theirs.key), KeyPair::differs);
  EXPECT_EQ(key_pair(theirs.certificate, ours.key), KeyPair::differs);
}

TEST(KeyPairs, TheFirstOfAChainIsTheClients) {
  const Pair ours, authority;

  EXPECT_EQ(key_pair(ours.certificate + authority.certificate, ours.key), KeyPair::fits);
  EXPECT_EQ(key_pair(authority.certificate + ours.certificate, ours.key), KeyPair::differs);
}

TEST(KeyPairs, ThatAreNoneAreToldApart) {
  const Pair ours, locked("rahasia");

  EXPECT_EQ(key_pair("nonsense", ours.key), KeyPair::no_certificate);
  EXPECT_EQ(key_pair("", ours.key), KeyPair::no_certificate);
  EXPECT_EQ(key_pair(ours.key, ours.certificate), KeyPair::no_certificate);
  EXPECT_EQ(key_pair(ours.certificate, ours.certificate), KeyPair::no_key);
  EXPECT_EQ(key_pair(ours.certificate, ours.key.substr(0, 60)), KeyPair::no_key);
  EXPECT_EQ(key_pair(locked.certificate, locked.key), KeyPair::locked);
}

}  // namespace
}  // namespace gerbang::ctl
