package falco

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Files returns the policy files that path, a file or a directory, stands for, in load order: a directory depth-first,
// its entries sorted by the bytes of their names. Entries that begin with a dot are skipped and directories behind
// symbolic links are not entered, so that a mounted ConfigMap is read once. The error is that of the file system; a
// directory without policy files gives none.
func Files(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		if !isPolicyFile(path) {
			return nil, nil
		}
		return []string{path}, nil
	}
	// WalkDir does not enter a root that is a symbolic link.
	root, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	var files []string
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if p == root {
			return nil
		}
		if strings.HasPrefix(d.Name(), ".") {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() || !isPolicyFile(p) {
			return nil
		}
		if d.Type()&fs.ModeSymlink != 0 {
			if info, err := os.Stat(p); err == nil && info.IsDir() {
				return nil
			}
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		files = append(files, filepath.Join(path, rel))
		return nil
	})
	return files, err
}

// isPolicyFile says whether the name is that of a policy file.
func isPolicyFile(name string) bool {
	ext := strings.ToLower(filepath.Ext(name))
	return ext == ".yaml" || ext == ".yml"
}
