package pages

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
)

//go:embed static
var staticFiles embed.FS

// asset is a file that pages refer to. Its address changes with its content, so that it may be kept for ever.
type asset struct {
	content     []byte
	contentType string
}

// assets are the static files by their hashed names, and those names by the plain ones.
type assets struct {
	files map[string]asset
	names map[string]string
}

func loadAssets() (assets, error) {
	a := assets{files: map[string]asset{}, names: map[string]string{}}
	entries, err := fs.ReadDir(staticFiles, "static")
	if err != nil {
		return a, err
	}
	types := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
	for _, e := range entries {
		content, err := fs.ReadFile(staticFiles, "static/"+e.Name())
		if err != nil {
			return a, err
		}
		sum := sha256.Sum256(content)
		extension := path.Ext(e.Name())
		hashed := strings.TrimSuffix(e.Name(), extension) + "." + hex.EncodeToString(sum[:8]) + extension
		a.files[hashed] = asset{content, types[extension]}
		a.names[e.Name()] = hashed
	}
	return a, nil
}

// serve answers below the static path.
func (a assets) serve(c *gin.Context) {
	file, ok := a.files[c.Param("name")]
	switch method := c.Request.Method; {
	case !ok:
		c.String(http.StatusNotFound, "there is nothing at this address\n")
		return
	case method != http.MethodGet && method != http.MethodHead:
		c.Header("Allow", "GET, HEAD")
		c.String(http.StatusMethodNotAllowed, "this address does not take this method\n")
		return
	}
	c.Header("Content-Type", file.contentType)
	c.Header("Cache-Control", "public, max-age=31536000, immutable")
	c.Header("Cross-Origin-Resource-Policy", "same-origin")
	http.ServeContent(c.Writer, c.Request, "", time.Time{}, bytes.NewReader(file.content))
}
