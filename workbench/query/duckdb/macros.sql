-- DuckDB macros that give a function of the subset Trino's meaning where DuckDB's own differs.
-- Made once in the engine's connection before it is locked; a statement reaches them through functions.py, rewrites.py
-- and casts.py only, for a name outside the subset is refused. Each rests on those before it.

CREATE MACRO wb_same(x) AS x;
CREATE MACRO wb_round(x) AS CASE WHEN x = 0 THEN CAST(0 AS DOUBLE) ELSE round(x) END;
CREATE MACRO wb_round_to(x, n) AS CASE WHEN n IS NULL THEN NULL WHEN x = 0 THEN CAST(0 AS DOUBLE) ELSE round(x, n) END;
CREATE MACRO wb_sign_double(x) AS CASE WHEN isnan(x) OR x = 0 THEN x ELSE CAST(sign(x) AS DOUBLE) END;
CREATE MACRO wb_mod(a, b) AS CASE WHEN a IS NULL THEN NULL WHEN b = 0 THEN error('Division by zero') ELSE a % b END;
CREATE MACRO wb_mod_double(a, b) AS CASE WHEN b = 0 AND a IS NOT NULL THEN CAST('NaN' AS DOUBLE) ELSE CAST(a AS DOUBLE) % CAST(b AS DOUBLE) END;
CREATE MACRO wb_divide_integer(a, b) AS CASE WHEN a IS NULL THEN NULL WHEN b = 0 THEN error('Division by zero') ELSE a // b END;
CREATE MACRO wb_divide_double(a, b) AS
  CASE
    WHEN b <> 0 THEN CAST(a AS DOUBLE) / CAST(b AS DOUBLE)
    WHEN a = 0 OR isnan(CAST(a AS DOUBLE)) THEN CAST('NaN' AS DOUBLE)
    ELSE CAST(a AS DOUBLE) / CAST(b AS DOUBLE) END;
CREATE MACRO wb_unscaled(x) AS CAST(replace(CAST(x AS VARCHAR), '.', '') AS HUGEINT);
CREATE MACRO wb_of_units(u, s) AS CASE WHEN s = 0 THEN CAST(u AS VARCHAR) ELSE
    CASE WHEN u < 0 THEN '-' ELSE '' END
    || left(lpad(CAST(abs(u) AS VARCHAR), CAST(greatest(s + 1, length(CAST(abs(u) AS VARCHAR))) AS INTEGER), '0'), -s)
    || '.' || right(lpad(CAST(abs(u) AS VARCHAR), CAST(greatest(s + 1, length(CAST(abs(u) AS VARCHAR))) AS INTEGER), '0'), s) END;
CREATE MACRO wb_half_up(n, d) AS n // d + CASE WHEN abs(n % d) * 2 >= abs(d) THEN CASE WHEN (n < 0) = (d < 0) THEN 1 ELSE -1 END ELSE 0 END;
CREATE MACRO wb_divide_decimal(a, b, f) AS
  CASE
    WHEN a IS NULL THEN NULL
    WHEN b = 0 THEN error('Division by zero')
    ELSE wb_half_up(wb_unscaled(a) * CAST(f AS HUGEINT), wb_unscaled(b)) END;
CREATE MACRO wb_width_bucket(x, low, high, n) AS
  CASE
    WHEN x IS NULL OR low IS NULL OR high IS NULL OR n IS NULL THEN NULL
    WHEN n <= 0 OR low = high OR NOT isfinite(low) OR NOT isfinite(high) OR isnan(x) THEN
      error('width_bucket needs a number, finite bounds that differ and at least one bucket')
    WHEN low < high THEN CASE
    WHEN x < low THEN 0
    WHEN x >= high THEN n + 1
    ELSE CAST(floor(CAST(n AS DOUBLE) * (x - low) / (high - low)) AS BIGINT) + 1 END
    ELSE CASE
    WHEN x >= low THEN 0
    WHEN x < high THEN n + 1
    ELSE n - CAST(floor(CAST(n AS DOUBLE) * (x - high) / (low - high)) AS BIGINT) END END;
CREATE MACRO wb_bitwise_and(a, b) AS CAST(a AS BIGINT) & CAST(b AS BIGINT);
CREATE MACRO wb_bitwise_or(a, b) AS CAST(a AS BIGINT) | CAST(b AS BIGINT);
CREATE MACRO wb_substr(s, i, n) AS
  CASE
    WHEN s IS NULL OR i IS NULL OR n IS NULL THEN NULL
    WHEN i = 0 OR n <= 0 OR abs(i) > length(s) THEN ''
    ELSE substr(s, i, least(n, 2147483647)) END;
CREATE MACRO wb_substr_rest(s, i) AS CASE WHEN s IS NULL OR i IS NULL THEN NULL WHEN i = 0 OR abs(i) > length(s) THEN '' ELSE substr(s, i) END;
-- An empty text is found between all characters, before the first and behind the last.
CREATE MACRO wb_replace(s, a, b) AS CASE
    WHEN s IS NULL OR a IS NULL OR b IS NULL THEN NULL
    WHEN a <> '' THEN replace(s, a, b) WHEN s = '' THEN b
    ELSE b || array_to_string(string_split(s, ''), b) || b END;
-- DuckDB has a capital sharp s, Java's Character has none.
CREATE MACRO wb_upper(s) AS CASE WHEN contains(s, 'ß') THEN array_to_string(list_transform(string_split(s, 'ß'), lambda x : upper(x)), 'ß') ELSE upper(s) END;
CREATE MACRO wb_reverse(s) AS
  CASE
    WHEN s = '' THEN ''
    ELSE array_to_string(list_transform(range(length(s), 0, -1), lambda i : substr(s, i, 1)), '') END;
CREATE MACRO wb_lpad(s, n, p) AS
  CASE
    WHEN s IS NULL OR n IS NULL OR p IS NULL THEN NULL
    WHEN p = '' OR n < 0 THEN error('lpad needs a padding text and a size of 0 or more')
    ELSE lpad(s, CAST(n AS INTEGER), p) END;
CREATE MACRO wb_rpad(s, n, p) AS
  CASE
    WHEN s IS NULL OR n IS NULL OR p IS NULL THEN NULL
    WHEN p = '' OR n < 0 THEN error('rpad needs a padding text and a size of 0 or more')
    ELSE rpad(s, CAST(n AS INTEGER), p) END;
-- What Java's Character.isWhitespace takes for white space.
CREATE MACRO wb_white() AS chr(9) || chr(10) || chr(11) || chr(12) || chr(13) || chr(28) || chr(29) || chr(30) || chr(31) || ' ' || chr(5760) || chr(8192) || chr(8193) || chr(8194) || chr(8195) || chr(8196) || chr(8197) || chr(8198) || chr(8200) || chr(8201) || chr(8202) || chr(8232) || chr(8233) || chr(8287) || chr(12288);
CREATE MACRO wb_trim(s) AS trim(s, wb_white());
CREATE MACRO wb_ltrim(s) AS ltrim(s, wb_white());
CREATE MACRO wb_rtrim(s) AS rtrim(s, wb_white());
CREATE MACRO wb_split(s, d) AS CASE WHEN d IS NULL THEN NULL WHEN d = '' THEN error('split needs a delimiter') ELSE string_split(s, d) END;
CREATE MACRO wb_split_part(s, d, n) AS
  CASE
    WHEN s IS NULL OR d IS NULL OR n IS NULL THEN NULL
    WHEN n <= 0 THEN error('split_part counts fields from 1')
    WHEN d = '' THEN CASE WHEN n <= length(s) THEN substr(s, n, 1) END
    ELSE string_split(s, d)[n] END;
CREATE MACRO wb_chr(n) AS chr(CAST(n AS INTEGER));
CREATE MACRO wb_codepoint(s) AS CASE WHEN length(s) <> 1 THEN error('codepoint takes one character') ELSE unicode(s) END;
CREATE MACRO wb_levenshtein(a, b) AS CASE WHEN strlen(a) = length(a) AND strlen(b) = length(b) THEN levenshtein(a, b) ELSE wb_levenshtein_text(a, b) END;
CREATE MACRO wb_md5(b) AS unhex(md5(b));
CREATE MACRO wb_sha256(b) AS unhex(sha256(b));
CREATE MACRO wb_regexp_extract(s, p, g) AS CASE WHEN regexp_matches(s, p) THEN regexp_extract(s, p, g) END;
CREATE MACRO wb_unhex(s) AS CASE WHEN length(s) % 2 = 1 THEN error('from_hex takes an even number of digits') ELSE unhex(s) END;
CREATE MACRO wb_from_unixtime(x) AS
  CASE
    WHEN isfinite(x) THEN make_timestamptz(CAST(floor(x * 1000 + 0.5) AS BIGINT) * 1000)
    WHEN x IS NOT NULL THEN error('from_unixtime needs a finite number') END;
CREATE MACRO wb_to_unixtime(t) AS CAST(epoch_us(t) AS DOUBLE) / 1000000;
CREATE MACRO wb_utc(t) AS make_timestamp(epoch_us(t));
CREATE MACRO wb_instant(t) AS make_timestamptz(epoch_us(t));
CREATE MACRO wb_shift(t, l, u) AS make_timestamptz(epoch_us(t) - (epoch_us(l) - epoch_us(u)));
CREATE MACRO wb_to_milliseconds(t) AS make_timestamp(CAST(floor((epoch_us(t) + 500) / 1000.0) AS BIGINT) * 1000);
-- Trino counts elapsed time between whole milliseconds; months as Joda: the last day of a month completes it.
CREATE MACRO wb_milliseconds(t) AS (epoch_us(t) - (epoch_us(t) % 1000 + 1000) % 1000) // 1000;
CREATE MACRO wb_millisecond(t) AS (wb_milliseconds(t) % 1000 + 1000) % 1000;
CREATE MACRO wb_elapsed(a, b, n) AS (wb_milliseconds(b) - wb_milliseconds(a)) // n;
CREATE MACRO wb_of_month(t, d) AS (d - 1) * 86400000 + wb_milliseconds(t) - wb_milliseconds(date_trunc('day', t));
CREATE MACRO wb_months_up(a, b) AS (year(b) - year(a)) * 12 + month(b) - month(a) - CASE
    WHEN wb_of_month(b, day(b)) < wb_of_month(a, CASE WHEN day(b) = day(last_day(b)) THEN least(day(a), day(b)) ELSE day(a) END)
    THEN 1 ELSE 0 END;
CREATE MACRO wb_months(a, b) AS CASE WHEN b >= a THEN wb_months_up(a, b) ELSE -wb_months_up(b, a) END;
CREATE MACRO wb_iso_text(s) AS regexp_full_match(s, '\d{4}-\d{2}-\d{2}(T(\d{2}(:\d{2}(:\d{2}([.,]\d+)?)?)?)?(Z|[+-]\d{2}(:?\d{2})?)?)?');
-- Dates by week, by day of the year, and those that name a month or a year alone.
CREATE MACRO wb_iso_date(s) AS CASE
    WHEN regexp_full_match(s, '\d{4}') THEN s || '-01-01'
    WHEN regexp_full_match(s, '\d{4}-\d{2}') THEN s || '-01'
    WHEN regexp_full_match(s, '\d{4}-\d{3}') THEN strftime(strptime(s, '%Y-%j'), '%Y-%m-%d')
    WHEN regexp_full_match(s, '\d{4}-W\d{2}-\d') THEN strftime(strptime(s, '%G-W%V-%u'), '%Y-%m-%d')
    ELSE s END;
CREATE MACRO wb_iso_moment(s) AS
  CASE
    WHEN s IS NULL THEN NULL
    WHEN NOT wb_iso_text(s) OR contains(s, 'T24') THEN error('Not an ISO 8601 time: ' || s)
    ELSE make_timestamptz(CAST(floor(epoch_us(CAST(regexp_replace(regexp_replace(replace(s, ',', '.'), 'T(\d{2})?(Z|[+-].*)?$', ' \1:00:00\2'), 'T(\d{2}:\d{2})(Z|[+-].*)?$', ' \1:00\2') AS TIMESTAMPTZ)) / 1000.0) AS BIGINT) * 1000) END;
CREATE MACRO wb_from_iso8601_timestamp(s) AS wb_iso_moment(wb_iso_date(s));
CREATE MACRO wb_from_iso8601_date(s) AS
  CASE
    WHEN s IS NULL THEN NULL
    WHEN regexp_full_match(wb_iso_date(s), '\d{4}-\d{2}-\d{2}') THEN CAST(wb_iso_date(s) AS DATE)
    ELSE error('Not an ISO 8601 date: ' || s) END;
CREATE MACRO wb_value_extract(j, p) AS json_extract(j, p);
CREATE MACRO wb_value_length(j) AS CASE WHEN json_type(j) = 'ARRAY' THEN CAST(json_array_length(j) AS BIGINT) END;
CREATE MACRO wb_value_size(j, p) AS
  CASE json_type(j, p)
    WHEN 'ARRAY' THEN CAST(json_array_length(j, p) AS BIGINT)
    WHEN 'OBJECT' THEN CAST(len(json_keys(j, p)) AS BIGINT)
    ELSE CASE WHEN json_type(j, p) IS NOT NULL THEN 0 END END;
CREATE MACRO wb_json_scalar(j, p) AS
  CASE
    WHEN TRY(json_type(j, p)) IN ('OBJECT', 'ARRAY', 'NULL') THEN NULL
    ELSE TRY(json_extract_string(j, p)) END;
-- DuckDB reads a number as a double and prints it anew; Trino gives its text as written. Most numbers are the same both
-- ways. Where the text holds one that may not be (an exponent, a last zero, 16 digits, many leading zeros), the text at
-- the only place the key stands is taken, and where that is not plain, Python's (see jsontexts.py).
CREATE MACRO wb_json_odd(j) AS regexp_matches(j, '[0-9][eE]|\.[0-9]+0([^0-9]|$)|([0-9]\.?){16}|\.0000');
CREATE MACRO wb_json_text_scalar(j, p, k) AS CASE
    WHEN TRY(json_type(j, p)) = 'DOUBLE' AND wb_json_odd(j) THEN
      CASE WHEN k <> '' AND NOT contains(j, '\u') AND len(regexp_extract_all(j, k)) = 1 THEN regexp_extract(j, k, 1)
        ELSE wb_json_number(j, p) END
    ELSE wb_json_scalar(j, p) END;
CREATE MACRO wb_java_double(x) AS CASE WHEN abs(x) >= 0.001 AND abs(x) < 1e7 OR x = 0 THEN CAST(x AS VARCHAR) ELSE wb_double_text(x) END;
CREATE MACRO wb_json_value_scalar(j, p) AS CASE WHEN json_type(j, p) = 'DOUBLE'
    THEN wb_java_double(TRY_CAST(json_extract_string(j, p) AS DOUBLE))
    WHEN json_type(j, p) IN ('OBJECT', 'ARRAY', 'NULL') THEN NULL ELSE json_extract_string(j, p) END;
-- The same of a whole value: its text says what it is, and is read again only where it has escapes or is a long number.
CREATE MACRO wb_json_whole_scalar(j) AS CASE
    WHEN starts_with(CAST(j AS VARCHAR), '"') AND NOT contains(CAST(j AS VARCHAR), '\') THEN substring(CAST(j AS VARCHAR), 2, length(CAST(j AS VARCHAR)) - 2)
    WHEN left(CAST(j AS VARCHAR), 1) IN ('{', '[', 'n') THEN NULL
    WHEN length(CAST(j AS VARCHAR)) < 18 AND NOT contains(CAST(j AS VARCHAR), '.') AND NOT starts_with(CAST(j AS VARCHAR), '"')
      AND NOT contains(lower(CAST(j AS VARCHAR)), 'e') THEN CAST(j AS VARCHAR)
    ELSE wb_json_value_scalar(j, '$') END;
CREATE MACRO wb_json_extract(j, p) AS TRY(json_extract(j, p));
CREATE MACRO wb_json_array_length(j) AS CASE WHEN TRY(json_type(j)) = 'ARRAY' THEN CAST(json_array_length(j) AS BIGINT) END;
CREATE MACRO wb_json_size(j, p) AS
  CASE TRY(json_type(j, p))
    WHEN 'ARRAY' THEN CAST(json_array_length(j, p) AS BIGINT)
    WHEN 'OBJECT' THEN CAST(len(json_keys(j, p)) AS BIGINT)
    WHEN NULL THEN NULL
    ELSE CASE
    WHEN TRY(json_type(j, p)) IS NOT NULL THEN 0 END END;
CREATE MACRO wb_json_parse(s) AS CASE WHEN s IS NULL THEN NULL WHEN json_valid(s) THEN CAST(wb_json_sorted(s) AS JSON) ELSE error('Not JSON: ' || s) END;
CREATE MACRO wb_json_format(j) AS CASE WHEN regexp_matches(CAST(j AS VARCHAR), '[0-9][eE]|[0-9]{8}|\.00') THEN wb_json_written(CAST(j AS VARCHAR)) ELSE CAST(j AS VARCHAR) END;
CREATE MACRO wb_is_json_scalar(j) AS json_type(j) NOT IN ('OBJECT', 'ARRAY');
CREATE MACRO wb_contains(l, x) AS
  CASE
    WHEN x IS NULL OR l IS NULL THEN NULL
    WHEN list_contains(l, x) THEN TRUE
    WHEN len(l) > list_count(l) THEN NULL
    ELSE FALSE END;
CREATE MACRO wb_subscript(l, i) AS
  CASE
    WHEN i IS NULL OR l IS NULL THEN NULL
    WHEN i < 1 OR i > len(l) THEN error('Array subscript out of bounds')
    ELSE l[i] END;
CREATE MACRO wb_element_at(l, i) AS CASE WHEN l IS NOT NULL AND i = 0 THEN error('SQL array indices start at 1') ELSE l[i] END;
CREATE MACRO wb_map_at(m, k) AS map_extract(m, k)[1];
CREATE MACRO wb_map_subscript(m, k) AS
  CASE
    WHEN m IS NULL OR k IS NULL THEN NULL
    WHEN NOT map_contains(m, k) THEN error('Key not present in map')
    ELSE map_extract(m, k)[1] END;
CREATE MACRO wb_map(k, v) AS map(k, v);
CREATE MACRO wb_empty_map() AS map();
CREATE MACRO wb_array_distinct(l) AS CASE WHEN l IS NOT NULL THEN
  list_transform(list_filter(list_zip(l, range(1, len(l) + 1)), lambda z : list_position(l, z[1]) = z[2]), lambda z : z[1]) END;
CREATE MACRO wb_array_max(l) AS CASE WHEN len(l) > list_count(l) THEN NULL ELSE list_max(l) END;
CREATE MACRO wb_array_min(l) AS CASE WHEN len(l) > list_count(l) THEN NULL ELSE list_min(l) END;
CREATE MACRO wb_array_position(l, x) AS CASE WHEN l IS NULL OR x IS NULL THEN NULL ELSE CAST(coalesce(list_position(l, x), 0) AS BIGINT) END;
CREATE MACRO wb_array_remove(l, x) AS CASE WHEN l IS NULL OR x IS NULL THEN NULL ELSE list_filter(l, lambda y : y IS NULL OR y <> x) END;
CREATE MACRO wb_array_sort(l) AS list_sort(l, 'ASC', 'NULLS LAST');
CREATE MACRO wb_arrays_overlap(a, b) AS
  CASE
    WHEN a IS NULL OR b IS NULL THEN NULL
    WHEN list_has_any(list_filter(a, lambda y : y IS NOT NULL), list_filter(b, lambda y : y IS NOT NULL)) THEN TRUE
    WHEN (len(a) > list_count(a) AND len(b) > 0) OR (len(b) > list_count(b) AND len(a) > 0) THEN NULL
    ELSE FALSE END;
CREATE MACRO wb_flatten(l) AS flatten(list_filter(l, lambda y : y IS NOT NULL));
CREATE MACRO wb_repeat(x, n) AS CASE WHEN n IS NULL THEN NULL WHEN n < 0 THEN error('repeat takes a count of 0 or more') ELSE list_transform(range(0, n), lambda i : x) END;
CREATE MACRO wb_sequence(a, b, s) AS
  CASE
    WHEN s = 0 OR (s > 0 AND b < a) OR (s < 0 AND b > a) THEN error('sequence must go from start towards stop')
    ELSE generate_series(a, b, s) END;
CREATE MACRO wb_slice(l, i, n) AS
  CASE
    WHEN l IS NULL OR i IS NULL OR n IS NULL THEN NULL
    WHEN i = 0 THEN error('SQL array indices start at 1')
    WHEN n < 0 THEN error('slice needs a length of 0 or more')
    WHEN n = 0 OR abs(i) > len(l) THEN l[1:0]
    WHEN i > 0 THEN l[i:i + n - 1]
    ELSE l[len(l) + i + 1:len(l) + i + n] END;
CREATE MACRO wb_all(l) AS
  CASE
    WHEN l IS NULL THEN NULL
    WHEN list_contains(l, FALSE) THEN FALSE
    WHEN len(l) > list_count(l) THEN NULL
    ELSE TRUE END;
CREATE MACRO wb_any(l) AS
  CASE
    WHEN l IS NULL THEN NULL
    WHEN list_contains(l, TRUE) THEN TRUE
    WHEN len(l) > list_count(l) THEN NULL
    ELSE FALSE END;
CREATE MACRO wb_array_join(l, d) AS CASE WHEN l IS NULL OR d IS NULL THEN NULL ELSE coalesce(array_to_string(l, d), '') END;
CREATE MACRO wb_array_join_null(l, d, n) AS
  CASE
    WHEN l IS NULL OR d IS NULL OR n IS NULL THEN NULL
    ELSE coalesce(array_to_string(list_transform(l, lambda y : coalesce(y, n)), d), '') END;
CREATE MACRO wb_sum_double(l) AS list_sum(l);
CREATE MACRO wb_avg_double(l) AS CASE WHEN list_count(l) > 0 THEN list_sum(l) / list_count(l) END;
CREATE MACRO wb_map_of(e) AS CASE WHEN len(e) > 0 THEN map_from_entries(e) END;
CREATE MACRO wb_mantissa(s) AS split_part(s, 'e', 1);
CREATE MACRO wb_digits(m) AS rtrim(ltrim(replace(m, '.', ''), '0'), '0');
CREATE MACRO wb_exponent(s) AS
  CASE
    WHEN contains(s, 'e') THEN CAST(split_part(s, 'e', 2) AS INTEGER)
    ELSE 0 END + CASE
    WHEN wb_mantissa(s) LIKE '0.%' THEN -(length(split_part(wb_mantissa(s), '.', 2)) - length(ltrim(split_part(wb_mantissa(s), '.', 2), '0')) + 1)
    ELSE length(split_part(wb_mantissa(s), '.', 1)) - 1 END;
CREATE MACRO wb_scientific(s) AS
  wb_digits(wb_mantissa(s))[1] || '.' || CASE
    WHEN length(wb_digits(wb_mantissa(s))) > 1 THEN wb_digits(wb_mantissa(s))[2:]
    ELSE '0' END || 'E' || wb_exponent(s);
CREATE MACRO wb_double_text(x) AS
  CASE
    WHEN x IS NULL THEN NULL
    WHEN isnan(x) THEN 'NaN'
    WHEN isinf(x) THEN CASE
    WHEN x > 0 THEN 'Infinity'
    ELSE '-Infinity' END
    WHEN x = 0 THEN CASE
    WHEN CAST(x AS VARCHAR) LIKE '-%' THEN '-0E0'
    ELSE '0E0' END
    WHEN x < 0 THEN '-' || wb_scientific(CAST(-x AS VARCHAR))
    ELSE wb_scientific(CAST(x AS VARCHAR)) END;
CREATE MACRO wb_timestamp_text(t, n) AS
  CASE
    WHEN n = 0 THEN strftime(t, '%Y-%m-%d %H:%M:%S')
    ELSE strftime(t, '%Y-%m-%d %H:%M:%S') || '.' || left(strftime(t, '%f'), n) END;
-- What Java's String.trim takes off: everything up to the space.
CREATE MACRO wb_low() AS ' ' || chr(1) || chr(2) || chr(3) || chr(4) || chr(5) || chr(6) || chr(7) || chr(8) || chr(9) || chr(10) || chr(11) || chr(12) || chr(13) || chr(14) || chr(15) || chr(16) || chr(17) || chr(18) || chr(19) || chr(20) || chr(21) || chr(22) || chr(23) || chr(24) || chr(25) || chr(26) || chr(27) || chr(28) || chr(29) || chr(30) || chr(31);
CREATE MACRO wb_java_trim(s) AS trim(s, wb_low());
CREATE MACRO wb_date_text(s) AS regexp_replace(wb_java_trim(s), '^\+', '');
-- A time as written, without its zone, in six digits at most.
CREATE MACRO wb_wall_text(s) AS regexp_replace(regexp_replace(wb_date_text(s), '(\d) ?([+-]\d{2}:\d{2}|[A-Za-z][A-Za-z0-9_+/-]*)$', '\1'), '(\.\d{6})\d{1,6}$', '\1');
CREATE MACRO wb_seventh(s) AS CASE WHEN regexp_matches(s, '\.\d{6}[5-9]') THEN 1 ELSE 0 END;
CREATE MACRO wb_zone_text(s) AS CASE
    WHEN regexp_matches(s, '\d ?[+-]\d{2}:\d{2}$') THEN right(s, 6)
    WHEN regexp_matches(s, '\d ?[A-Za-z][A-Za-z0-9_+/-]*$') THEN regexp_extract(s, '([A-Za-z][A-Za-z0-9_+/-]*)$', 1)
    ELSE 'UTC' END;
CREATE MACRO wb_offset(z) AS CASE left(z, 1) WHEN '-' THEN -1 ELSE 1 END
  * (CAST(substr(z, 2, 2) AS BIGINT) * 60 + CAST(substr(z, 5, 2) AS BIGINT)) * 60000000;
CREATE MACRO wb_place(t, z) AS CASE
    WHEN z IN ('UTC', 'Z') THEN make_timestamptz(epoch_us(t))
    WHEN left(z, 1) IN ('+', '-') THEN make_timestamptz(epoch_us(t) - wb_offset(z))
    ELSE timezone(z, t) END;
CREATE MACRO wb_zoned(s, t) AS wb_place(t, wb_zone_text(wb_java_trim(s)));
CREATE MACRO wb_try_zoned(s, t) AS TRY(wb_zoned(s, t));
CREATE MACRO wb_real(x) AS CASE WHEN isnan(x) THEN CAST('nan' AS REAL) WHEN x >= 3.4028235677973366e38 THEN CAST('inf' AS REAL)
    WHEN x <= -3.4028235677973366e38 THEN CAST('-inf' AS REAL) ELSE CAST(x AS REAL) END;
CREATE MACRO wb_is_integer_text(s) AS regexp_full_match(s, '[+-]?\d+');
CREATE MACRO wb_is_decimal_text(s) AS regexp_full_match(s, '[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?');
CREATE MACRO wb_is_double_text(s) AS regexp_full_match(wb_trim(s), '[+-]?((\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?[dDfF]?|NaN|Infinity)');
CREATE MACRO wb_is_boolean_text(s) AS lower(s) IN ('true', 'false', 't', 'f', '1', '0');
CREATE MACRO wb_is_date_text(s) AS regexp_full_match(s, '\d{4}-\d{1,2}-\d{1,2}');
CREATE MACRO wb_is_timestamp_text(s) AS regexp_full_match(s, '\d{4}-\d{1,2}-\d{1,2}( \d{1,2}:\d{1,2}(:\d{1,2}(\.\d{1,6})?)?)?');

-- Casts
-- Arrays are equal as SQL has it: unknown where a NULL stands against anything and nothing else differs.
CREATE MACRO wb_array_equal(a, b) AS CASE
    WHEN a IS NULL OR b IS NULL THEN NULL WHEN len(a) <> len(b) THEN FALSE
    WHEN list_contains(list_transform(list_zip(a, b), lambda z : z[1] <> z[2]), TRUE) THEN FALSE
    WHEN list_count(a) < len(a) OR list_count(b) < len(b) THEN NULL ELSE TRUE END;
CREATE MACRO wb_bad_cast(s, t) AS error('Cannot cast ''' || s || ''' to ' || t);
CREATE MACRO wb_round_micros(n, u) AS CAST(floor((CAST(n AS DECIMAL(38, 0)) + u // 2) // u) AS BIGINT) * u;
CREATE MACRO wb_number_text(s) AS regexp_replace(wb_trim(s), '([0-9.])[dDfF]$', '\1');
CREATE MACRO wb_json_kind(j) AS json_type(j);
CREATE MACRO wb_json_try_text(j) AS
  CASE json_type(j) WHEN 'OBJECT' THEN NULL WHEN 'ARRAY' THEN NULL WHEN 'NULL' THEN NULL
    WHEN 'DOUBLE' THEN wb_double_text(TRY_CAST(json_extract_string(j, '$') AS DOUBLE)) ELSE json_extract_string(j, '$') END;
CREATE MACRO wb_json_text(j) AS
  CASE WHEN json_type(j) IN ('OBJECT', 'ARRAY') THEN wb_bad_cast(CAST(j AS VARCHAR), 'varchar') ELSE wb_json_try_text(j) END;
CREATE MACRO wb_json_number_text(j) AS
  CASE json_type(j) WHEN 'NULL' THEN NULL WHEN 'BOOLEAN' THEN CASE WHEN json_extract_string(j, '$') = 'true' THEN '1' ELSE '0' END
    WHEN 'OBJECT' THEN CAST(j AS VARCHAR) WHEN 'ARRAY' THEN CAST(j AS VARCHAR) ELSE json_extract_string(j, '$') END;
CREATE MACRO wb_json_try_double(j) AS
  CASE WHEN wb_is_double_text(wb_json_number_text(j)) THEN TRY_CAST(wb_number_text(wb_json_number_text(j)) AS DOUBLE) END;
CREATE MACRO wb_json_double(j) AS
  CASE WHEN wb_json_number_text(j) IS NULL THEN NULL WHEN wb_is_double_text(wb_json_number_text(j))
    THEN CAST(wb_number_text(wb_json_number_text(j)) AS DOUBLE) ELSE wb_bad_cast(CAST(j AS VARCHAR), 'double') END;
CREATE MACRO wb_json_try_integer(j) AS
  CASE WHEN json_type(j) = 'DOUBLE' THEN TRY_CAST(round(TRY_CAST(json_extract_string(j, '$') AS DOUBLE)) AS BIGINT)
    WHEN wb_is_integer_text(wb_json_number_text(j)) THEN TRY_CAST(wb_json_number_text(j) AS BIGINT) END;
CREATE MACRO wb_json_integer(j) AS
  CASE WHEN wb_json_number_text(j) IS NULL THEN NULL
    WHEN wb_json_try_integer(j) IS NULL THEN wb_bad_cast(CAST(j AS VARCHAR), 'an integer') ELSE wb_json_try_integer(j) END;
CREATE MACRO wb_json_try_boolean(j) AS
  CASE json_type(j) WHEN 'BOOLEAN' THEN TRY_CAST(json_extract_string(j, '$') AS BOOLEAN)
    WHEN 'VARCHAR' THEN CASE WHEN wb_is_boolean_text(json_extract_string(j, '$')) THEN TRY_CAST(json_extract_string(j, '$') AS BOOLEAN) END
    WHEN 'DOUBLE' THEN TRY_CAST(json_extract_string(j, '$') AS DOUBLE) <> 0
    WHEN 'UBIGINT' THEN TRY_CAST(json_extract_string(j, '$') AS BIGINT) <> 0 WHEN 'BIGINT' THEN json_extract_string(j, '$') <> '0' END;
CREATE MACRO wb_json_boolean(j) AS
  CASE WHEN wb_json_number_text(j) IS NULL THEN NULL
    WHEN wb_json_try_boolean(j) IS NULL THEN wb_bad_cast(CAST(j AS VARCHAR), 'boolean') ELSE wb_json_try_boolean(j) END;
CREATE MACRO wb_json_try_items(j) AS CASE WHEN json_type(j) = 'ARRAY' THEN CAST(json_extract(j, '$[*]') AS JSON[]) END;
CREATE MACRO wb_json_items(j) AS
  CASE WHEN json_type(j) = 'ARRAY' THEN CAST(json_extract(j, '$[*]') AS JSON[]) WHEN json_type(j) = 'NULL' OR j IS NULL THEN NULL
    ELSE wb_bad_cast(CAST(j AS VARCHAR), 'an array') END;
CREATE MACRO wb_json_try_entries(j) AS CASE WHEN json_type(j) = 'OBJECT' THEN map(json_keys(j), CAST(json_extract(j, '$.*') AS JSON[])) END;
CREATE MACRO wb_json_entries(j) AS
  CASE WHEN json_type(j) = 'OBJECT' THEN map(json_keys(j), CAST(json_extract(j, '$.*') AS JSON[])) WHEN json_type(j) = 'NULL' OR j IS NULL THEN NULL
    ELSE wb_bad_cast(CAST(j AS VARCHAR), 'a map') END;
