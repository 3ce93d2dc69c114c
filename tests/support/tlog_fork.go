// Checks with Go's own functions for transparency logs that a fork file shows two histories of one key.
//
//	go run tlog_fork.go FILE VERIFIER_KEY
package main

import (
	"fmt"
	"log"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func signedTree(text, key string) (tree tlog.Tree) {
	verifier, err := note.NewVerifier(key)
	must(err)
	opened, err := note.Open([]byte(text), note.VerifierList(verifier))
	must(err)
	lines := strings.Split(opened.Text, "\n")
	if lines[0] != verifier.Name() {
		log.Fatal("the checkpoint is of ", lines[0])
	}
	_, err = fmt.Sscan(lines[1], &tree.N)
	must(err)
	tree.Hash, err = tlog.ParseHash(lines[2])
	must(err)
	return tree
}

func main() {
	content, err := os.ReadFile(os.Args[1])
	must(err)
	parts := strings.Split(string(content), "\n\n")
	if len(parts) != 5 {
		log.Fatal("the file has no five parts")
	}
	first := signedTree(parts[1]+"\n\n"+parts[2]+"\n", os.Args[2])
	second := signedTree(parts[3]+"\n\n"+parts[4], os.Args[2])
	lines := strings.Split(parts[0], "\n")
	var hashes []tlog.Hash
	for _, line := range append([]string{strings.TrimPrefix(lines[1], "root ")}, lines[2:]...) {
		hash, err := tlog.ParseHash(line)
		must(err)
		hashes = append(hashes, hash)
	}
	must(tlog.CheckTree(hashes[1:], second.N, second.Hash, first.N, hashes[0]))
	if hashes[0] == first.Hash {
		log.Fatal("the second tree goes on from the first")
	}
	fmt.Printf("%d and %d entries: two histories\n", first.N, second.N)
}
