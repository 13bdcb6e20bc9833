// SPDX-License-Identifier: Apache-2.0
#include "ctl/key_pair.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <limits>
#include <memory>

namespace gerbang::ctl {
namespace {

using config::KeyPair;

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* what) const {
    Free(what);
  }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;

Bio reader(const std::string& text) {
  if (text.size() > std::numeric_limits<int>::max()) return nullptr;
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// The library would ask on the terminal.
int no_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

KeyPair compared(const std::string& certificate_text, const std::string& key_text) {
  const Bio certificate_in = reader(certificate_text), key_in = reader(key_text);
  bool asked = false;
  const Certificate certificate(
      PEM_read_bio_X509_AUX(certificate_in.get(), nullptr, no_passphrase, &asked));
  if (!certificate) return KeyPair::no_certificate;
  asked = false;
  const Key key(PEM_read_bio_PrivateKey(key_in.get(), nullptr, no_passphrase, &asked));
  if (!key) return asked ? KeyPair::locked : KeyPair::no_key;
  return X509_check_private_key(certificate.get(), key.get()) == 1 ? KeyPair::fits
                                                                   : KeyPair::differs;
}

}  // namespace

KeyPair key_pair(const std::string& certificate, const std::string& key) {
  const KeyPair out = compared(certificate, key);
  ERR_clear_error();  // the library keeps what went wrong for a next caller
  return out;
}

}  // namespace gerbang::ctl
