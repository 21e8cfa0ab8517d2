-- One service's database and its roles: NAME_owner migrates, NAME_app works, NAME_ro looks. Harmless to repeat.
\set ON_ERROR_STOP on
\getenv service SERVICE
\getenv owner_password OWNER_PASSWORD
\getenv app_password APP_PASSWORD
\getenv ro_password RO_PASSWORD
\set owner :service _owner
\set app :service _app
\set ro :service _ro

select format('create role %I login', role)
  from unnest(array[:'owner', :'app', :'ro']) as role
 where not exists (select from pg_roles where rolname = role) \gexec
alter role :"owner" password :'owner_password';
alter role :"app" password :'app_password';
alter role :"ro" password :'ro_password';

alter role :"owner" set lock_timeout = '5s';
alter role :"app" set statement_timeout = '2s';
alter role :"app" set lock_timeout = '5s';
alter role :"app" set idle_in_transaction_session_timeout = '10s';
alter role :"app" set client_connection_check_interval = '1s';
alter role :"ro" set statement_timeout = '30s';
alter role :"ro" set default_transaction_read_only = on;

select format('create database %I owner %I', :'service', :'owner')
 where not exists (select from pg_database where datname = :'service') \gexec
revoke all on database :"service", postgres, template1 from public;
grant connect, temporary on database :"service" to :"owner", :"app";
grant connect on database :"service" to :"ro";

\connect :service
alter schema public owner to :"owner";
revoke all on schema public from public;
grant usage on schema public to :"app", :"ro";
alter default privileges for role :"owner" in schema public grant select, insert, update, delete on tables to :"app";
alter default privileges for role :"owner" in schema public grant usage, select on sequences to :"app";
alter default privileges for role :"owner" in schema public grant select on tables to :"ro";
alter default privileges for role :"owner" in schema public grant select on sequences to :"ro";

select :'service' = 'gateway' as searches_text \gset
\if :searches_text
create extension if not exists pg_trgm;
\endif
