// Writes the images that the suite's pods ask for, as `docker save` would, under the names that the
// suite itself gives them: images DIRECTORY BUSYBOX AGNHOST PAUSE, the last three being static
// executables. They hold what the stories use of the published ones, and no more.
package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"log"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"

	"k8s.io/kubernetes/test/utils/image"
)

const (
	passwd = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n" +
		"user-defined-in-image:x:1000:1000:Linux User,,,:/home/user-defined-in-image:/bin/sh\n"
	group = "root:x:0:\nnobody:x:65534:\nuser-defined-in-image:x:1000:\n" +
		"group-defined-in-image:x:50000:user-defined-in-image\n"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 5 {
		log.Fatal("usage: images DIRECTORY BUSYBOX AGNHOST PAUSE")
	}
	directory, busybox, agnhost, pause := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	tools := layer(func(root *root) {
		root.base()
		root.busybox(busybox)
	})
	save(directory, "busybox", image.BusyBox, config{Cmd: []string{"sh"}}, tools)
	save(directory, "agnhost", image.Agnhost,
		config{Entrypoint: []string{"/agnhost"}, Cmd: []string{"pause"}}, tools,
		layer(func(root *root) {
			root.file("agnhost", 0o755, read(agnhost))
			root.link("agnhost-2", "agnhost")
			root.directory("uploads", 0o755)
		}))
	save(directory, "pause", image.Pause, config{Entrypoint: []string{"/pause"}}, layer(func(root *root) {
		root.file("pause", 0o755, read(pause))
	}))
}

// A root directory that is being written as a layer.
type root struct{ tar *tar.Writer }

func layer(fill func(*root)) []byte {
	var bytes bytes.Buffer
	root := root{tar.NewWriter(&bytes)}
	fill(&root)
	must(root.tar.Close())
	return bytes.Bytes()
}

func (root *root) base() {
	for _, name := range strings.Fields("bin dev etc home proc root sbin sys usr usr/bin usr/sbin var") {
		root.directory(name, 0o755)
	}
	root.directory("tmp", 0o1777)
	root.file("etc/passwd", 0o644, []byte(passwd))
	root.file("etc/group", 0o644, []byte(group))
}

// Every name that busybox answers to.
func (root *root) busybox(program string) {
	root.file("bin/busybox", 0o755, read(program))
	names, err := exec.Command(program, "--list").Output()
	must(err)
	for _, name := range strings.Fields(string(names)) {
		if name != "busybox" {
			root.link("bin/"+name, "/bin/busybox")
		}
	}
}

func (root *root) directory(name string, mode int64) {
	root.entry(tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: mode}, nil)
}

func (root *root) link(name, target string) {
	root.entry(tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o777}, nil)
}

func (root *root) file(name string, mode int64, content []byte) {
	root.entry(tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode}, content)
}

func (root *root) entry(header tar.Header, content []byte) {
	header.Size = int64(len(content))
	must(root.tar.WriteHeader(&header))
	_, err := root.tar.Write(content)
	must(err)
}

// What of an image's configuration is used here.
type config struct {
	Entrypoint []string `json:",omitempty"`
	Cmd        []string `json:",omitempty"`
	Env        []string
}

func save(directory, file string, id image.ImageID, config config, layers ...[]byte) {
	config.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	names, ids := []string{}, []string{}
	contents := map[string][]byte{}
	for _, layer := range layers {
		sum := sha256.Sum256(layer)
		name := hex.EncodeToString(sum[:])
		names, ids = append(names, name+".tar"), append(ids, "sha256:"+name)
		contents[name+".tar"] = layer
	}
	contents["config.json"] = encode(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux", "config": config,
		"rootfs": map[string]any{"type": "layers", "diff_ids": ids},
	})
	contents["manifest.json"] = encode([]any{map[string]any{
		"Config": "config.json", "Layers": names, "RepoTags": []string{image.GetE2EImage(id)},
	}})
	output, err := os.Create(filepath.Join(directory, file+".tar"))
	must(err)
	archive := root{tar.NewWriter(io.Writer(output))}
	for name, content := range contents {
		archive.file(path.Clean(name), 0o644, content)
	}
	must(archive.tar.Close())
	must(output.Close())
}

func encode(value any) []byte {
	bytes, err := json.Marshal(value)
	must(err)
	return bytes
}

func read(file string) []byte {
	bytes, err := os.ReadFile(file)
	must(err)
	return bytes
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
