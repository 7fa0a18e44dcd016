// Interop exchanges logs with the TypeScript library: `check <folder>` verifies with implementations written by others
// what the library has put there, `make <folder>` puts there what they produce. The folder holds
//
//	keys           the log's verifier key, then the witness's
//	checkpoint     a signed note with a cosignature, of the newest tree
//	tile/...       all tiles and entry bundles
//	proofs.json    inclusion proofs of the newest tree, and consistency proofs to it
//
// The witness's seed is 32 bytes of 0x02; the entries are SHA-256 of "entry <n>".
package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/torchwood"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	origin  = "interop.example/log"
	witness = "witness.example"
	size    = 70_123
)

type inclusion struct {
	Index  uint64   `json:"index"`
	Hashes [][]byte `json:"hashes"`
}

type consistency struct {
	OldSize uint64   `json:"oldSize"`
	OldRoot []byte   `json:"oldRoot"`
	Hashes  [][]byte `json:"hashes"`
}

type proofs struct {
	Inclusion   []inclusion   `json:"inclusion"`
	Consistency []consistency `json:"consistency"`
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: interop check|make <folder>")
		os.Exit(2)
	}
	run := map[string]func(string) error{"check": check, "make": produce}[os.Args[1]]
	if err := run(os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func entry(i int64) []byte {
	hash := sha256.Sum256(fmt.Appendf(nil, "entry %d", i))
	return hash[:]
}

func cosigner() (*torchwood.CosignatureSigner, error) {
	return torchwood.NewCosignatureSigner(witness, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, 32)))
}

func check(folder string) error {
	keys, err := os.ReadFile(filepath.Join(folder, "keys"))
	if err != nil {
		return err
	}
	lines := strings.Split(string(keys), "\n")
	logKey, err := note.NewVerifier(lines[0])
	if err != nil {
		return fmt.Errorf("log key: %w", err)
	}
	signer, err := cosigner()
	if err != nil {
		return err
	}
	if lines[1] != signer.Verifier().String() {
		return fmt.Errorf("witness key is %s, not %s", lines[1], signer.Verifier())
	}
	msg, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	if err != nil {
		return err
	}
	opened, err := note.Open(msg, note.VerifierList(logKey, signer.Verifier()))
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	if len(opened.Sigs) != 2 {
		return fmt.Errorf("checkpoint: %d verified signatures", len(opened.Sigs))
	}
	head, err := torchwood.ParseCheckpoint(opened.Text)
	if err != nil {
		return err
	}
	if head.Origin != origin || head.N != size {
		return fmt.Errorf("checkpoint of %s with %d leaves", head.Origin, head.N)
	}
	if err := checkProofs(folder, head); err != nil {
		return err
	}
	return checkEntries(folder, head)
}

func checkProofs(folder string, head torchwood.Checkpoint) error {
	text, err := os.ReadFile(filepath.Join(folder, "proofs.json"))
	if err != nil {
		return err
	}
	var all proofs
	if err := json.Unmarshal(text, &all); err != nil {
		return err
	}
	hasher := rfc6962.DefaultHasher
	for _, p := range all.Inclusion {
		leaf := hasher.HashLeaf(entry(int64(p.Index)))
		if err := proof.VerifyInclusion(hasher, p.Index, size, leaf, p.Hashes, head.Hash[:]); err != nil {
			return fmt.Errorf("merkle: leaf %d: %w", p.Index, err)
		}
		if err := tlog.CheckRecord(hashes(p.Hashes), size, head.Hash, int64(p.Index), tlog.Hash(leaf)); err != nil {
			return fmt.Errorf("tlog: leaf %d: %w", p.Index, err)
		}
	}
	for _, p := range all.Consistency {
		if err := proof.VerifyConsistency(hasher, p.OldSize, size, p.Hashes, p.OldRoot, head.Hash[:]); err != nil {
			return fmt.Errorf("merkle: old size %d: %w", p.OldSize, err)
		}
		if p.OldSize == 0 {
			continue
		}
		if err := tlog.CheckTree(hashes(p.Hashes), size, head.Hash, int64(p.OldSize), tlog.Hash(p.OldRoot)); err != nil {
			return fmt.Errorf("tlog: old size %d: %w", p.OldSize, err)
		}
	}
	fmt.Printf("%d inclusion and %d consistency proofs\n", len(all.Inclusion), len(all.Consistency))
	return nil
}

func hashes(list [][]byte) []tlog.Hash {
	result := make([]tlog.Hash, len(list))
	for i, hash := range list {
		result[i] = tlog.Hash(hash)
	}
	return result
}

// checkEntries reads the whole log through the client of torchwood, which verifies every tile and entry.
func checkEntries(folder string, head torchwood.Checkpoint) error {
	client, err := torchwood.NewClient(files(folder))
	if err != nil {
		return err
	}
	next := int64(0)
	for next < size {
		start := next
		for i, got := range client.Entries(context.Background(), head.Tree, next) {
			if i != next || !bytes.Equal(got, entry(i)) {
				return fmt.Errorf("entry %d is wrong", i)
			}
			next++
		}
		if err := client.Err(); err != nil {
			return err
		}
		if next == start {
			return fmt.Errorf("no entries after %d", next)
		}
	}
	fmt.Printf("%d entries\n", next)
	return nil
}

// files serves a folder as a log does.
type files string

func (f files) ReadEndpoint(_ context.Context, path string) ([]byte, error) {
	return os.ReadFile(filepath.Join(string(f), path))
}

func (f files) ReadTiles(_ context.Context, tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		var err error
		if data[i], err = os.ReadFile(filepath.Join(string(f), torchwood.TilePath(tile))); err != nil {
			return nil, err
		}
	}
	return data, nil
}

func (f files) SaveTiles([]tlog.Tile, [][]byte) {}

func produce(folder string) error {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		list := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			list[i] = stored[index]
		}
		return list, nil
	})
	for i := range int64(size) {
		added, err := tlog.StoredHashes(i, entry(i), reader)
		if err != nil {
			return err
		}
		stored = append(stored, added...)
	}
	root, err := tlog.TreeHash(size, reader)
	if err != nil {
		return err
	}
	if err := writeCheckpoint(folder, root); err != nil {
		return err
	}
	for _, tile := range tlog.NewTiles(torchwood.TileHeight, 0, size) {
		data, err := tlog.ReadTileData(tile, reader)
		if err != nil {
			return err
		}
		if err := write(folder, torchwood.TilePath(tile), data); err != nil {
			return err
		}
		if tile.L != 0 {
			continue
		}
		var bundle []byte
		for i := range int64(tile.W) {
			if bundle, err = torchwood.AppendTileEntry(bundle, entry(tile.N*torchwood.TileWidth+i)); err != nil {
				return err
			}
		}
		tile.L = -1
		if err := write(folder, torchwood.TilePath(tile), bundle); err != nil {
			return err
		}
	}
	return writeProofs(folder, reader)
}

func writeCheckpoint(folder string, root tlog.Hash) error {
	skey, vkey, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		return err
	}
	logSigner, err := note.NewSigner(skey)
	if err != nil {
		return err
	}
	cosigner, err := cosigner()
	if err != nil {
		return err
	}
	head := torchwood.Checkpoint{Origin: origin, Tree: tlog.Tree{N: size, Hash: root}}
	signed, err := note.Sign(&note.Note{Text: head.String()}, logSigner, cosigner)
	if err != nil {
		return err
	}
	if err := write(folder, "checkpoint", signed); err != nil {
		return err
	}
	return write(folder, "keys", []byte(vkey+"\n"+cosigner.Verifier().String()+"\n"))
}

func writeProofs(folder string, reader tlog.HashReader) error {
	var all proofs
	for index := int64(0); index < size; index += 997 {
		p, err := tlog.ProveRecord(size, index, reader)
		if err != nil {
			return err
		}
		all.Inclusion = append(all.Inclusion, inclusion{uint64(index), bytesOf(p)})
	}
	for old := int64(1); old <= size; old += 1499 {
		p, err := tlog.ProveTree(size, old, reader)
		if err != nil {
			return err
		}
		root, err := tlog.TreeHash(old, reader)
		if err != nil {
			return err
		}
		all.Consistency = append(all.Consistency, consistency{uint64(old), root[:], bytesOf(p)})
	}
	text, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return write(folder, "proofs.json", text)
}

func bytesOf(list []tlog.Hash) [][]byte {
	result := make([][]byte, len(list))
	for i := range list {
		result[i] = list[i][:]
	}
	return result
}

func write(folder, path string, data []byte) error {
	full := filepath.Join(folder, path)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		return err
	}
	return os.WriteFile(full, data, 0o644)
}
