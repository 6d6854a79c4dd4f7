package main

import (
	"errors"
	"io"
	"log/slog"
	"os"
)

// logger writes to stderr: text for a person at a terminal, JSON for machines.
func (a *app) logger(s settings) *slog.Logger {
	level, err := s.level()
	if err != nil {
		level = slog.LevelInfo
	}
	options := &slog.HandlerOptions{Level: level}
	if s.LogFormat == "text" || (s.LogFormat == "" && isTerminal(a.stderr)) {
		return slog.New(slog.NewTextHandler(a.stderr, options))
	}
	return slog.New(slog.NewJSONHandler(a.stderr, options))
}

func (s settings) level() (slog.Level, error) {
	switch s.LogLevel {
	case "debug":
		return slog.LevelDebug, nil
	case "info":
		return slog.LevelInfo, nil
	case "warn":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	}
	return 0, errors.New("SIGNET_LOG_LEVEL must be debug, info, warn or error")
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
