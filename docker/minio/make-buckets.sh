#!/bin/sh
# Makes the buckets, the three policies and the dashboards' reader. A second run changes nothing.
set -eu
policies=$(dirname "$0")
mc alias set store "$S3_ENDPOINT" "$S3_ACCESS_KEY_ID" "$S3_SECRET_ACCESS_KEY" >/dev/null
mc mb --ignore-existing store/lake store/spool
for role in reader writer maintainer; do
	mc admin policy create store "$role" "$policies/$role.json"
done
mc admin user add store "$S3_READER_KEY_ID" "$S3_READER_SECRET"
mc admin policy attach store reader --user "$S3_READER_KEY_ID" 2>/dev/null ||
	mc admin policy entities store --user "$S3_READER_KEY_ID" | grep -q reader
