-- Pictures that waited for the kind of request "reads": that is no endpoint for pictures, so nothing
-- tried them. They count as pictures that no endpoint failed for.
UPDATE waiting_picture SET waits_for = '' WHERE waits_for = 'reads';
