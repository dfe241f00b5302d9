<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en_US">
<context>
    <name>Counted</name>
    <message numerus="yes">
        <source>a page in about %n second(s)</source>
        <translation>
            <numerusform>a page in about a second</numerusform>
            <numerusform>a page in about %n seconds</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>a page in about %n minute(s)</source>
        <translation>
            <numerusform>a page in about a minute</numerusform>
            <numerusform>a page in about %n minutes</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{used} of %n page(s)</source>
        <translation>
            <numerusform>{used} of %n page</numerusform>
            <numerusform>{used} of %n pages</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n page(s)</source>
        <translation>
            <numerusform>%n page</numerusform>
            <numerusform>%n pages</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>a chat remembers %n page(s)</source>
        <translation>
            <numerusform>a chat remembers %n page</numerusform>
            <numerusform>a chat remembers %n pages</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>used %n day(s) ago</source>
        <translation>
            <numerusform>used a day ago</numerusform>
            <numerusform>used %n days ago</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n core(s)</source>
        <translation>
            <numerusform>%n core</numerusform>
            <numerusform>%n cores</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Room for about %n model(s) of 5 GB</source>
        <translation>
            <numerusform>Room for about one model of 5 GB</numerusform>
            <numerusform>Room for about %n models of 5 GB</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n older message(s) no longer fit into the memory</source>
        <translation>
            <numerusform>One older message no longer fits into the memory</numerusform>
            <numerusform>%n older messages no longer fit into the memory</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n model(s) are in your models now.</source>
        <translation>
            <numerusform>One model is in your models now.</numerusform>
            <numerusform>%n models are in your models now.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Unload after %n minute(s)</source>
        <translation>
            <numerusform>Unload after %n minute</numerusform>
            <numerusform>Unload after %n minutes</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n more file(s) could not be taken in.</source>
        <translation>
            <numerusform>One more file could not be taken in.</numerusform>
            <numerusform>%n more files could not be taken in.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>CountedRepos</name>
    <message numerus="yes">
        <source>%n download(s)</source>
        <translation>
            <numerusform>%n download</numerusform>
            <numerusform>%n downloads</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n like(s)</source>
        <translation>
            <numerusform>%n like</numerusform>
            <numerusform>%n likes</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n model(s)</source>
        <translation>
            <numerusform>%n model</numerusform>
            <numerusform>%n models</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n day(s) ago</source>
        <translation>
            <numerusform>%n day ago</numerusform>
            <numerusform>%n days ago</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Show %n more version(s)</source>
        <translation>
            <numerusform>Show %n more version</numerusform>
            <numerusform>Show %n more versions</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>in %n file(s)</source>
        <translation>
            <numerusform>in %n file</numerusform>
            <numerusform>in %n files</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>remembers up to %n page(s)</source>
        <translation>
            <numerusform>remembers up to %n page</numerusform>
            <numerusform>remembers up to %n pages</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n model(s) from {names}</source>
        <translation>
            <numerusform>%n model from {names}</numerusform>
            <numerusform>%n models from {names}</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Asked again by itself in %n second(s).</source>
        <translation>
            <numerusform>Asked again by itself in %n second.</numerusform>
            <numerusform>Asked again by itself in %n seconds.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>DetailsSheet</name>
    <message numerus="yes">
        <source>%n setting(s) on {day}; the fastest does {speed}</source>
        <translation>
            <numerusform>%n setting on {day}; the fastest does {speed}</numerusform>
            <numerusform>%n settings on {day}; the fastest does {speed}</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>DownloadWords</name>
    <message numerus="yes">
        <source>%n second(s) left</source>
        <translation>
            <numerusform>%n second left</numerusform>
            <numerusform>%n seconds left</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n minute(s) left</source>
        <translation>
            <numerusform>%n minute left</numerusform>
            <numerusform>%n minutes left</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n hour(s) left</source>
        <translation>
            <numerusform>%n hour left</numerusform>
            <numerusform>%n hours left</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>again in %n second(s)</source>
        <translation>
            <numerusform>again in %n second</numerusform>
            <numerusform>again in %n seconds</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>again in %n minute(s)</source>
        <translation>
            <numerusform>again in %n minute</numerusform>
            <numerusform>again in %n minutes</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>EntryWords</name>
    <message numerus="yes">
        <source>%n day(s) ago</source>
        <translation>
            <numerusform>%n day ago</numerusform>
            <numerusform>%n days ago</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>FolderSettings</name>
    <message numerus="yes">
        <source>%n model(s) lie elsewhere: {size}. They can be moved now or later.</source>
        <translation>
            <numerusform>%n model lies elsewhere: {size}. It can be moved now or later.</numerusform>
            <numerusform>%n models lie elsewhere: {size}. They can be moved now or later.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>Keeping</name>
    <message numerus="yes">
        <source>%n model(s) were moved.</source>
        <translation>
            <numerusform>%n model was moved.</numerusform>
            <numerusform>%n models were moved.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>MeasuredCard</name>
    <message numerus="yes">
        <source>Attempts that failed for lack of memory: %n. Since then more is left free.</source>
        <translation>
            <numerusform>Attempts that failed for lack of memory: %n. Since then more is left free.</numerusform>
            <numerusform>Attempts that failed for lack of memory: %n. Since then more is left free.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>processor, %n thread(s)</source>
        <translation>
            <numerusform>processor, %n thread</numerusform>
            <numerusform>processor, %n threads</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>graphics card, experts of %n layer(s) in main memory</source>
        <translation>
            <numerusform>graphics card, experts of %n layer in main memory</numerusform>
            <numerusform>graphics card, experts of %n layers in main memory</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>graphics card: %n layer(s)</source>
        <translation>
            <numerusform>graphics card: %n layer</numerusform>
            <numerusform>graphics card: %n layers</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>PackDialog</name>
    <message numerus="yes">
        <source>{size} in %n file(s); {free} are free there.</source>
        <translation>
            <numerusform>{size} in %n file; {free} are free there.</numerusform>
            <numerusform>{size} in %n files; {free} are free there.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>Packing</name>
    <message numerus="yes">
        <source>%n model(s) are in your models, and checked.</source>
        <translation>
            <numerusform>%n model is in your models, and checked.</numerusform>
            <numerusform>%n models are in your models, and checked.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>RailMark</name>
    <message numerus="yes">
        <source>%n download(s)</source>
        <translation>
            <numerusform>%n download</numerusform>
            <numerusform>%n downloads</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>RemoteSettings</name>
    <message numerus="yes">
        <source>%n model(s)</source>
        <translation>
            <numerusform>%n model</numerusform>
            <numerusform>%n models</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>SourceSettings</name>
    <message numerus="yes">
        <source>%n model(s)</source>
        <translation>
            <numerusform>%n model</numerusform>
            <numerusform>%n models</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>StoreNote</name>
    <message numerus="yes">
        <source>%n in {program}</source>
        <translation>
            <numerusform>%n in {program}</numerusform>
            <numerusform>%n in {program}</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n model(s) of other programs on this computer: {where}.</source>
        <translation>
            <numerusform>There is %n model of another program on this computer: {where}.</numerusform>
            <numerusform>There are %n models of other programs on this computer: {where}.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>StoresSheet</name>
    <message numerus="yes">
        <source>%n of them stand in your list already.</source>
        <translation>
            <numerusform>%n of them stands in your list already.</numerusform>
            <numerusform>%n of them stand in your list already.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Add %n model(s)</source>
        <translation>
            <numerusform>Add %n model</numerusform>
            <numerusform>Add %n models</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>UnpackDialog</name>
    <message numerus="yes">
        <source>Add %n model(s)</source>
        <translation>
            <numerusform>Add %n model</numerusform>
            <numerusform>Add %n models</numerusform>
        </translation>
    </message>
</context>
</TS>
