// The same API on Gin. bearer knows nothing of Gin: the adapter is the dozen lines of require.
package main

import (
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/signet-idp/signet/provider/bearer"
)

func main() {
	if err := run(); err != nil {
		slog.Error(err.Error())
		os.Exit(1)
	}
}

func run() error {
	tokens, err := bearer.New(bearer.Config{
		Issuer: os.Getenv("ISSUER"), Audience: os.Getenv("AUDIENCE"), Logger: slog.Default(),
		Metadata: &bearer.Metadata{Name: "Stock", Scopes: []string{"stock.read", "stock.write"}},
	})
	if err != nil {
		return err
	}
	server := http.Server{Addr: os.Getenv("LISTEN_ADDR"), Handler: routes(tokens), ReadHeaderTimeout: 10 * time.Second}
	return server.ListenAndServe()
}

func routes(tokens *bearer.Verifier) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.Use(gin.Recovery())
	path, document := tokens.Metadata()
	engine.Any(path, gin.WrapH(document))
	engine.GET("/me", require(tokens), func(c *gin.Context) {
		t := token(c)
		c.JSON(http.StatusOK, gin.H{"sub": t.Subject, "client_id": t.ClientID, "scope": t.Scope})
	})
	stock := engine.Group("/stock")
	stock.GET("/plums", require(tokens, "stock.read"), func(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"plums": 7}) })
	stock.PUT("/plums", require(tokens, "stock.write"), func(c *gin.Context) { c.Status(http.StatusNoContent) })
	return engine
}

// key is where require leaves the token.
const key = "access token"

// require lets a request through that brings an access token with all of scope.
func require(tokens *bearer.Verifier, scope ...string) gin.HandlerFunc {
	return func(c *gin.Context) {
		t, err := tokens.Authenticate(c.Request)
		if err == nil {
			err = t.RequireScope(scope...)
		}
		if err != nil {
			tokens.Refuse(c.Writer, err)
			c.Abort()
			return
		}
		c.Set(key, t)
	}
}

// token is what require found out.
func token(c *gin.Context) bearer.Token { return c.MustGet(key).(bearer.Token) }
