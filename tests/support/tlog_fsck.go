// Checks all that a log publishes with Go's own functions for transparency logs.
//
//	go run tlog_fsck.go PREFIX VERIFIER_KEY
//
// PREFIX is a folder or an address, and ends in a slash. The tree is made anew from the entries, and every tile is
// compared with it. No tile is believed because TileHashReader read it: before x/mod 0.40.0 this does not check every
// tile of level 0 (CVE-2026-56865), and Debian 12 has 0.7.0. Proofs are made through it, as clients do.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// A published log is known by where it is.
type published string

func (prefix published) get(path string) []byte {
	if !strings.HasPrefix(string(prefix), "http") {
		content, err := os.ReadFile(string(prefix) + path)
		must(err)
		return content
	}
	answer, err := http.Get(string(prefix) + path)
	must(err)
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		log.Fatalf("%s: %s", path, answer.Status)
	}
	content, err := io.ReadAll(answer.Body)
	must(err)
	return content
}

// tile reads a tile; Go names the height and calls bundles of entries data, and C2SP does not.
func (prefix published) tile(tile tlog.Tile) []byte {
	path := strings.Replace(tile.Path(), "tile/8/data/", "tile/8/entries/", 1)
	return prefix.get(strings.Replace(path, "tile/8/", "tile/", 1))
}

func (prefix published) Height() int                     { return height }
func (prefix published) SaveTiles([]tlog.Tile, [][]byte) {}
func (prefix published) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var contents [][]byte
	for _, tile := range tiles {
		contents = append(contents, prefix.tile(tile))
	}
	return contents, nil
}

// A madeTree has the hashes that follow from the entries, in Go's order.
type madeTree []tlog.Hash

func (tree madeTree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var hashes []tlog.Hash
	for _, index := range indexes {
		hashes = append(hashes, tree[index])
	}
	return hashes, nil
}

func (tree *madeTree) add(number int64, entry []byte) {
	hashes, err := tlog.StoredHashes(number, entry, *tree)
	must(err)
	*tree = append(*tree, hashes...)
}

func signedTree(checkpoint []byte, key string) tlog.Tree {
	verifier, err := note.NewVerifier(key)
	must(err)
	opened, err := note.Open(checkpoint, note.VerifierList(verifier))
	must(err)
	var origin, root string
	var tree tlog.Tree
	_, err = fmt.Sscanf(opened.Text, "%s\n%d\n%s\n", &origin, &tree.N, &root)
	must(err)
	if origin != verifier.Name() {
		log.Fatal("the checkpoint is of ", origin)
	}
	decoded, err := base64.StdEncoding.DecodeString(root)
	must(err)
	copy(tree.Hash[:], decoded)
	return tree
}

func treeOfEntries(from published, size int64) madeTree {
	var tree madeTree
	for first := int64(0); first < size; first += 1 << height {
		width := min(size-first, 1<<height)
		rest := from.tile(tlog.Tile{H: height, L: -1, N: first >> height, W: int(width)})
		for number := first; number < first+width; number++ {
			if len(rest) < 2 || len(rest) < 2+int(binary.BigEndian.Uint16(rest)) {
				log.Fatalf("the bundle of entry %d ends too soon", number)
			}
			end := 2 + int(binary.BigEndian.Uint16(rest))
			tree.add(number, rest[2:end])
			rest = rest[end:]
		}
		if len(rest) > 0 {
			log.Fatalf("the bundle of entry %d goes on after its last entry", first)
		}
	}
	return tree
}

// tilesOf names the tiles that a tree ends in and all before them; NewTiles of x/mod names smaller partial ones too.
func tilesOf(size int64) (tiles []tlog.Tile) {
	for level := 0; size > 0; level++ {
		for first := int64(0); first < size; first += 1 << height {
			width := int(min(size-first, 1<<height))
			tiles = append(tiles, tlog.Tile{H: height, L: level, N: first >> height, W: width})
		}
		size >>= height
	}
	return tiles
}

func min(one, other int64) int64 {
	if one < other {
		return one
	}
	return other
}

func main() {
	from := published(os.Args[1])
	signed := signedTree(from.get("checkpoint"), os.Args[2])
	made := treeOfEntries(from, signed.N)
	root, err := tlog.TreeHash(signed.N, made)
	must(err)
	if root != signed.Hash {
		log.Fatal("the entries do not lead to the signed root")
	}
	tiles := tilesOf(signed.N)
	for _, tile := range tiles {
		expected, err := tlog.ReadTileData(tile, made)
		must(err)
		if !bytes.Equal(from.tile(tile), expected) {
			log.Fatal(tile.Path(), " is another tile")
		}
	}
	read := tlog.TileHashReader(signed, from)
	proofs := 0
	for index := int64(0); index < signed.N; index += signed.N/20 + 1 {
		record, err := tlog.ProveRecord(signed.N, index, read)
		must(err)
		must(tlog.CheckRecord(record, signed.N, root, index, made[tlog.StoredHashIndex(0, index)]))
		old, err := tlog.TreeHash(index+1, made)
		must(err)
		tree, err := tlog.ProveTree(signed.N, index+1, read)
		must(err)
		must(tlog.CheckTree(tree, signed.N, root, index+1, old))
		proofs += 2
	}
	fmt.Printf("%d entries and %d tiles are those of the signed tree; %d proofs hold\n", signed.N, len(tiles), proofs)
}
