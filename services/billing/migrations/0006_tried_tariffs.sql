-- The tariff that a dry run tries, as it was when the run was asked for: a draft may be written anew meanwhile.
alter table reratings add column tariff json;
update reratings set tariff = tariffs.tariff from tariffs where tariffs.tariff_id = reratings.tariff_id;
