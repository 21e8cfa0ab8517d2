-- What companies have set, as the gateway says; null: as this installation has it.
create table settings (
    tenant          text    primary key,
    version         integer not null,
    returned_window interval
);
