module github.com/signet-idp/signet/examples/bff-go

go 1.26.0
