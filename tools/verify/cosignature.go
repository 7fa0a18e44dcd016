package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// cosignatureVerifier is a note.Verifier for cosignature/v1 of c2sp.org/tlog-cosignature.
type cosignatureVerifier struct {
	name string
	id   uint32
	key  ed25519.PublicKey
}

const (
	cosignatureType = 0x04
	timestampBytes  = 8
)

func newCosignatureVerifier(text string) (*cosignatureVerifier, error) {
	parts := strings.SplitN(text, "+", 3)
	if len(parts) != 3 || parts[0] == "" {
		return nil, errors.New("malformed verifier key")
	}
	id, err := strconv.ParseUint(parts[1], 16, 32)
	if err != nil || len(parts[1]) != 8 {
		return nil, errors.New("malformed key ID")
	}
	key, err := base64.StdEncoding.Strict().DecodeString(parts[2])
	if err != nil || len(key) != 1+ed25519.PublicKeySize {
		return nil, errors.New("malformed public key")
	}
	if key[0] != cosignatureType {
		return nil, errors.New("not the key of a witness")
	}
	hash := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	if binary.BigEndian.Uint32(hash[:]) != uint32(id) {
		return nil, errors.New("the key ID is not that of name and key")
	}
	return &cosignatureVerifier{parts[0], uint32(id), key[1:]}, nil
}

func (v *cosignatureVerifier) Name() string    { return v.name }
func (v *cosignatureVerifier) KeyHash() uint32 { return v.id }

func (v *cosignatureVerifier) Verify(text, signature []byte) bool {
	if len(signature) != timestampBytes+ed25519.SignatureSize {
		return false
	}
	time := binary.BigEndian.Uint64(signature)
	message := fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", time, text)
	return time <= 1<<53-1 && ed25519.Verify(v.key, message, signature[timestampBytes:])
}
