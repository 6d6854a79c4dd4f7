audit_checkpoints.seq bigint NOT NULL
audit_checkpoints.hash bytea NOT NULL
audit_checkpoints.sealed bytea NOT NULL
audit_checkpoints.created_at timestamp with time zone NOT NULL
audit_checkpoints CONSTRAINT audit_checkpoints_pkey PRIMARY KEY (seq)
audit_events.id uuid NOT NULL
audit_events.at timestamp with time zone NOT NULL
audit_events.kind text COLLATE C NOT NULL
audit_events.actor text NOT NULL
audit_events.user_id uuid
audit_events.client_id text COLLATE C NOT NULL
audit_events.grant_id uuid
audit_events.seen json NOT NULL
audit_events.detail json NOT NULL
audit_events.seq bigint
audit_events.hash bytea
audit_events CONSTRAINT audit_events_pkey PRIMARY KEY (id)
CREATE INDEX audit_events_at ON public.audit_events USING btree (at)
CREATE UNIQUE INDEX audit_events_seq ON public.audit_events USING btree (seq) WHERE (seq IS NOT NULL)
CREATE INDEX audit_events_unchained ON public.audit_events USING btree (id) WHERE (seq IS NULL)
CREATE INDEX audit_events_user ON public.audit_events USING btree (user_id)
buckets.key bytea NOT NULL
buckets.tat timestamp with time zone NOT NULL
buckets CONSTRAINT buckets_pkey PRIMARY KEY (key)
CREATE INDEX buckets_tat ON public.buckets USING btree (tat)
client_secret_uses.client_id text COLLATE C NOT NULL
client_secret_uses.made_at timestamp with time zone NOT NULL
client_secret_uses.used_at timestamp with time zone NOT NULL
client_secret_uses CONSTRAINT client_secret_uses_client_id_fkey FOREIGN KEY (client_id) REFERENCES clients(id) ON DELETE CASCADE
client_secret_uses CONSTRAINT client_secret_uses_pkey PRIMARY KEY (client_id, made_at)
CREATE INDEX client_secret_uses_age ON public.client_secret_uses USING btree (used_at)
client_usage.client_id text COLLATE C NOT NULL
client_usage.day timestamp with time zone NOT NULL
client_usage.sign_ins bigint NOT NULL
client_usage.tokens bigint NOT NULL
client_usage.failures bigint NOT NULL
client_usage CONSTRAINT client_usage_client_id_fkey FOREIGN KEY (client_id) REFERENCES clients(id) ON DELETE CASCADE
client_usage CONSTRAINT client_usage_pkey PRIMARY KEY (client_id, day)
CREATE INDEX client_usage_day ON public.client_usage USING btree (day)
clients.id text COLLATE C NOT NULL
clients.revision bigint NOT NULL
clients.metadata json NOT NULL
clients.secrets json NOT NULL
clients.disabled_at timestamp with time zone
clients.created_at timestamp with time zone NOT NULL
clients.updated_at timestamp with time zone NOT NULL
clients.origin text NOT NULL DEFAULT 'operator'::text
clients.owner_id uuid
clients.disabled_for text NOT NULL DEFAULT ''::text
clients.registration bytea
clients.used_at timestamp with time zone
clients.used_by uuid
clients CONSTRAINT clients_origin_check CHECK ((origin = ANY (ARRAY['operator'::text, 'person'::text, 'software'::text, 'document'::text])))
clients CONSTRAINT clients_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES users(id) ON DELETE SET NULL
clients CONSTRAINT clients_pkey PRIMARY KEY (id)
clients CONSTRAINT clients_used_by_fkey FOREIGN KEY (used_by) REFERENCES users(id) ON DELETE SET NULL
CREATE INDEX clients_awaiting ON public.clients USING btree (created_at) WHERE (disabled_for = 'approval'::text)
CREATE INDEX clients_owner ON public.clients USING btree (owner_id, created_at) WHERE (owner_id IS NOT NULL)
CREATE INDEX clients_unused ON public.clients USING btree (created_at, id) WHERE ((used_at IS NULL) AND (disabled_at IS NULL) AND (origin = ANY (ARRAY['software'::text, 'document'::text])))
CREATE INDEX clients_used_by ON public.clients USING btree (used_by) WHERE (used_by IS NOT NULL)
consents.user_id uuid NOT NULL
consents.client_id text COLLATE C NOT NULL
consents.scope text[] NOT NULL
consents.claims text[] NOT NULL
consents.resources text[] NOT NULL
consents.given_at timestamp with time zone NOT NULL
consents.created_at timestamp with time zone NOT NULL
consents CONSTRAINT consents_client_id_fkey FOREIGN KEY (client_id) REFERENCES clients(id) ON DELETE CASCADE
consents CONSTRAINT consents_pkey PRIMARY KEY (user_id, client_id)
consents CONSTRAINT consents_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE
CREATE INDEX consents_client ON public.consents USING btree (client_id)
denied_tokens.grant_id uuid NOT NULL
denied_tokens.serial bigint NOT NULL
denied_tokens.expires_at timestamp with time zone NOT NULL
denied_tokens CONSTRAINT denied_tokens_pkey PRIMARY KEY (grant_id, serial)
CREATE INDEX denied_tokens_expiry ON public.denied_tokens USING btree (expires_at)
grants.id uuid NOT NULL
grants.client_id text COLLATE C NOT NULL
grants.user_id uuid
grants.session_id uuid
grants.scope text[] NOT NULL
grants.audience text[] NOT NULL
grants.acr text NOT NULL
grants.amr text[] NOT NULL
grants.auth_time timestamp with time zone
grants.nonce text NOT NULL
grants.state text COLLATE C NOT NULL
grants.revision bigint NOT NULL
grants.pending jsonb
grants.generation bigint NOT NULL
grants.fork integer NOT NULL
grants.parent_fork integer NOT NULL
grants.key_id integer NOT NULL
grants.issued_at timestamp with time zone
grants.retired timestamp with time zone[] NOT NULL
grants.shared_at timestamp with time zone
grants.seen json NOT NULL
grants.secret_hash bytea NOT NULL
grants.expires_at timestamp with time zone NOT NULL
grants.created_at timestamp with time zone NOT NULL
grants.sender text NOT NULL
grants.revoked_at timestamp with time zone
grants.revoked_reason text NOT NULL
grants.offline boolean NOT NULL DEFAULT false
grants.claims json
grants.code_hash bytea
grants.user_code bytea
grants CONSTRAINT grants_pkey PRIMARY KEY (id)
grants CONSTRAINT grants_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'active'::text, 'revoked'::text])))
CREATE INDEX grants_client ON public.grants USING btree (client_id)
CREATE INDEX grants_expiry ON public.grants USING btree (expires_at)
CREATE INDEX grants_session ON public.grants USING btree (session_id) WHERE (session_id IS NOT NULL)
CREATE INDEX grants_user ON public.grants USING btree (user_id)
CREATE UNIQUE INDEX grants_user_code ON public.grants USING btree (user_code) WHERE (user_code IS NOT NULL)
grants WITH fillfactor=80
keys.id text COLLATE C NOT NULL
keys.use text COLLATE C NOT NULL
keys.algorithm text NOT NULL
keys.number integer NOT NULL
keys.state text NOT NULL
keys.public text NOT NULL
keys.sealed bytea NOT NULL
keys.created_at timestamp with time zone NOT NULL
keys.changed_at timestamp with time zone NOT NULL
keys CONSTRAINT keys_pkey PRIMARY KEY (id)
keys CONSTRAINT keys_use_check CHECK ((use = ANY (ARRAY['sig'::text, 'handle'::text, 'pairwise'::text])))
CREATE UNIQUE INDEX keys_active ON public.keys USING btree (use, algorithm) WHERE (state = 'active'::text)
CREATE UNIQUE INDEX keys_number ON public.keys USING btree (number) WHERE (use = 'handle'::text)
CREATE UNIQUE INDEX keys_pending ON public.keys USING btree (use, algorithm) WHERE (state = 'pending'::text)
leases.name text NOT NULL
leases.holder text NOT NULL
leases.ends_at timestamp with time zone NOT NULL
leases CONSTRAINT leases_pkey PRIMARY KEY (name)
logins.login text COLLATE C NOT NULL
logins.user_id uuid NOT NULL
logins CONSTRAINT logins_pkey PRIMARY KEY (login)
logins CONSTRAINT logins_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE
CREATE INDEX logins_user ON public.logins USING btree (user_id)
outbox.id uuid NOT NULL
outbox.kind text NOT NULL
outbox.user_id uuid
outbox.data json NOT NULL
outbox.attempt integer NOT NULL
outbox.due_at timestamp with time zone NOT NULL
outbox.created_at timestamp with time zone NOT NULL
outbox CONSTRAINT outbox_pkey PRIMARY KEY (id)
CREATE INDEX outbox_due ON public.outbox USING btree (due_at)
passkeys.id uuid NOT NULL
passkeys.user_id uuid NOT NULL
passkeys.name text NOT NULL
passkeys.credential_id bytea NOT NULL
passkeys.public_key bytea NOT NULL
passkeys.aaguid uuid
passkeys.transports text[] NOT NULL
passkeys.sign_count bigint NOT NULL
passkeys.backup_eligible boolean NOT NULL
passkeys.backed_up boolean NOT NULL
passkeys.created_at timestamp with time zone NOT NULL
passkeys.used_at timestamp with time zone
passkeys CONSTRAINT passkeys_pkey PRIMARY KEY (id)
passkeys CONSTRAINT passkeys_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE
CREATE UNIQUE INDEX passkeys_credential ON public.passkeys USING btree (credential_id)
CREATE INDEX passkeys_user ON public.passkeys USING btree (user_id)
pushed_requests.digest bytea NOT NULL
pushed_requests.client_id text COLLATE C NOT NULL
pushed_requests.params text NOT NULL
pushed_requests.expires_at timestamp with time zone NOT NULL
pushed_requests CONSTRAINT pushed_requests_client_id_fkey FOREIGN KEY (client_id) REFERENCES clients(id) ON DELETE CASCADE
pushed_requests CONSTRAINT pushed_requests_pkey PRIMARY KEY (digest)
CREATE INDEX pushed_requests_client ON public.pushed_requests USING btree (client_id)
CREATE INDEX pushed_requests_expiry ON public.pushed_requests USING btree (expires_at)
recovery_codes.user_id uuid NOT NULL
recovery_codes.digest bytea NOT NULL
recovery_codes CONSTRAINT recovery_codes_pkey PRIMARY KEY (user_id, digest)
recovery_codes CONSTRAINT recovery_codes_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE
refusals.id text COLLATE C NOT NULL
refusals.at timestamp with time zone NOT NULL
refusals.endpoint text NOT NULL
refusals.client_id text COLLATE C NOT NULL
refusals.grant_type text NOT NULL
refusals.code text NOT NULL
refusals.description text NOT NULL
refusals.cause text NOT NULL
refusals.grant_id uuid
refusals.token text NOT NULL
refusals.seen json NOT NULL
refusals.detail json NOT NULL DEFAULT '{}'::json
refusals CONSTRAINT refusals_pkey PRIMARY KEY (id)
CREATE INDEX refusals_at ON public.refusals USING btree (at, id)
CREATE INDEX refusals_client ON public.refusals USING btree (client_id, at, id)
registration_tokens.id uuid NOT NULL
registration_tokens.digest bytea NOT NULL
registration_tokens.name text NOT NULL
registration_tokens.created_by text NOT NULL
registration_tokens.max_uses bigint NOT NULL
registration_tokens.uses bigint NOT NULL
registration_tokens.grant_types text[] NOT NULL
registration_tokens.scope text NOT NULL
registration_tokens.created_at timestamp with time zone NOT NULL
registration_tokens.expires_at timestamp with time zone
registration_tokens.revoked_at timestamp with time zone
registration_tokens CONSTRAINT registration_tokens_pkey PRIMARY KEY (id)
CREATE UNIQUE INDEX registration_tokens_digest ON public.registration_tokens USING btree (digest)
remembered_devices.id uuid NOT NULL
remembered_devices.digest bytea NOT NULL
remembered_devices.user_id uuid NOT NULL
remembered_devices.created_at timestamp with time zone NOT NULL
remembered_devices.expires_at timestamp with time zone NOT NULL
remembered_devices.seen json NOT NULL
remembered_devices CONSTRAINT remembered_devices_pkey PRIMARY KEY (id)
remembered_devices CONSTRAINT remembered_devices_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE
CREATE UNIQUE INDEX remembered_devices_digest ON public.remembered_devices USING btree (digest)
CREATE INDEX remembered_devices_expiry ON public.remembered_devices USING btree (expires_at)
CREATE INDEX remembered_devices_user ON public.remembered_devices USING btree (user_id)
resources.identifier text COLLATE C NOT NULL
resources.revision bigint NOT NULL
resources.metadata json NOT NULL
resources.created_at timestamp with time zone NOT NULL
resources.updated_at timestamp with time zone NOT NULL
resources CONSTRAINT resources_pkey PRIMARY KEY (identifier)
sessions.id uuid NOT NULL
sessions.digest bytea NOT NULL
sessions.user_id uuid NOT NULL
sessions.revision bigint NOT NULL
sessions.password_at timestamp with time zone
sessions.factor_at timestamp with time zone
sessions.auth_time timestamp with time zone
sessions.acr text NOT NULL
sessions.amr text[] NOT NULL
sessions.chosen_at timestamp with time zone
sessions.created_at timestamp with time zone NOT NULL
sessions.used_at timestamp with time zone
sessions.expires_at timestamp with time zone NOT NULL
sessions.seen json NOT NULL
sessions CONSTRAINT sessions_pkey PRIMARY KEY (id)
sessions CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE
CREATE UNIQUE INDEX sessions_digest ON public.sessions USING btree (digest)
CREATE INDEX sessions_expiry ON public.sessions USING btree (expires_at)
CREATE INDEX sessions_user ON public.sessions USING btree (user_id)
sessions WITH fillfactor=80
spent_assertions.digest bytea NOT NULL
spent_assertions.expires_at timestamp with time zone NOT NULL
spent_assertions CONSTRAINT spent_assertions_pkey PRIMARY KEY (digest)
CREATE INDEX spent_assertions_expiry ON public.spent_assertions USING btree (expires_at)
tickets.id uuid NOT NULL
tickets.kind text NOT NULL
tickets.user_id uuid
tickets.email text NOT NULL
tickets.login text COLLATE C NOT NULL
tickets.data json NOT NULL
tickets.seen json NOT NULL
tickets.created_at timestamp with time zone NOT NULL
tickets.ripe_at timestamp with time zone NOT NULL
tickets.expires_at timestamp with time zone NOT NULL
tickets CONSTRAINT tickets_pkey PRIMARY KEY (id)
tickets CONSTRAINT tickets_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE
CREATE INDEX tickets_expiry ON public.tickets USING btree (expires_at)
CREATE INDEX tickets_login ON public.tickets USING btree (login)
CREATE INDEX tickets_ripe ON public.tickets USING btree (kind, ripe_at) WHERE (kind = ANY (ARRAY['recovery'::text, 'deletion'::text]))
CREATE UNIQUE INDEX tickets_single ON public.tickets USING btree (user_id, kind) WHERE (kind = ANY (ARRAY['recovery'::text, 'deletion'::text]))
CREATE INDEX tickets_user ON public.tickets USING btree (user_id) WHERE (user_id IS NOT NULL)
totp.id uuid NOT NULL
totp.user_id uuid NOT NULL
totp.name text NOT NULL
totp.sealed bytea NOT NULL
totp.confirmed_at timestamp with time zone
totp.last_step bigint NOT NULL
totp.created_at timestamp with time zone NOT NULL
totp CONSTRAINT totp_pkey PRIMARY KEY (id)
totp CONSTRAINT totp_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE
CREATE INDEX totp_user ON public.totp USING btree (user_id)
CREATE UNIQUE INDEX totp_waiting ON public.totp USING btree (user_id) WHERE (confirmed_at IS NULL)
users.id uuid NOT NULL
users.revision bigint NOT NULL
users.username text COLLATE C NOT NULL
users.email text COLLATE C NOT NULL
users.email_verified boolean NOT NULL
users.phone text COLLATE C NOT NULL
users.phone_verified boolean NOT NULL
users.profile json NOT NULL
users.admin boolean NOT NULL
users.password_hash text COLLATE C NOT NULL
users.disabled_at timestamp with time zone
users.created_at timestamp with time zone NOT NULL
users.updated_at timestamp with time zone NOT NULL
users CONSTRAINT users_pkey PRIMARY KEY (id)
